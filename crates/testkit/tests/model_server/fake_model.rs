//! The program `fake-model`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::http::{receive, send};

fn script(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn fake_model(script: &NamedTempFile) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-model"));
    command
        .arg("--script")
        .arg(script.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads the line that the program prints when it serves.
fn base_url(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    said["base_url"].as_str().unwrap().to_owned()
}

#[test]
fn it_serves_until_its_input_ends() {
    let script = script("turns = [{ say = \"Done.\" }]");
    let mut child = fake_model(&script).spawn().unwrap();
    let url = base_url(&mut child);
    assert!(receive(send(&url, "HEAD", "/", "")).starts_with("HTTP/1.1 200"));
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_terminated_server_ends() {
    let script = script("");
    let mut child = fake_model(&script).spawn().unwrap();
    base_url(&mut child);
    let kill = Command::new("sh")
        .args(["-c", "kill -TERM \"$0\"", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), None);
}

#[test]
fn a_wrong_script_is_explained() {
    let script = script("turns = [\n  { fial = { status = 429 } },\n]\n");
    let output = fake_model(&script).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complaint.contains("could not read the script") && complaint.contains("line 2"),
        "{complaint}"
    );
}

#[test]
fn a_wrong_command_line_shows_the_right_one() {
    let mut command = fake_model(&script(""));
    let output = command.args(["--port", "many"]).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        complaint.contains("`many` is not a port") && complaint.contains("usage: fake-model"),
        "{complaint}"
    );
}
