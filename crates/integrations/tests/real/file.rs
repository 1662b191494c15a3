//! A file gets each letter once, on a line of its own.

use std::{fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use integrations::FileDestination;
use ports::{Delivery, Destination as _};

use crate::fixtures::{directory, letter};

const DELIVERED: Delivery = Delivery::Delivered { remote: None };

async fn deliver(path: &Utf8Path, number: u64, title: &str) -> Delivery {
    FileDestination::new(path.to_owned()).deliver(&letter(number, title)).await
}

/// The keys of the lines, in order; what is no letter is `None`.
fn keys(path: &Utf8Path) -> Vec<Option<String>> {
    let key = |line: &str| {
        let value = serde_json::from_str::<serde_json::Value>(line).ok()?;
        Some(value["key"].as_str()?.to_owned())
    };
    fs::read_to_string(path).expect("it was written").lines().map(key).collect()
}

fn key(number: u64) -> String {
    letter(number, "").key()
}

#[tokio::test]
async fn a_letter_is_one_line_that_says_what_happened_to_which_item() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    assert_eq!(deliver(&path, 4, "Add a \"flag\"\n{").await, DELIVERED);
    let text = fs::read_to_string(&path).unwrap();
    let expected = serde_json::json!({
        "key": "pl_00000000000000000000000000000001/4/out/0",
        "letter": "ltr_00000000000000000000000000000004",
        "destination": "out",
        "project": "ET",
        "item": "ET-001",
        "title": "Add a \"flag\"\n{",
        "pipeline": "pl_00000000000000000000000000000001",
        "seq": 14,
        "number": 4,
        "version": 4,
        "at": "1970-01-01T00:00:00Z",
        "actor": "ann",
        "event": "cancelled",
        "data": { "reason": "no\nneed" },
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(text.trim_end()).unwrap(), expected);
    assert_eq!(text.matches('\n').count(), 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// The crash between the write and its acknowledgement.
#[tokio::test]
async fn a_letter_that_comes_again_is_found_by_its_key() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    for number in [1, 1, 2, 1, 2, 3] {
        assert_eq!(deliver(&path, number, "a").await, DELIVERED);
    }
    assert_eq!(keys(&path), [key(1), key(2), key(3)].map(Some));
}

/// An item's words are hostile: they must not pass for the key of a letter that is still to come.
#[tokio::test]
async fn a_key_inside_of_a_title_is_no_key() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    let title = format!("\"key\":\"{}\"}}\n{{\"key\":\"{0}\"}}\n", letter(2, "").key());
    deliver(&path, 1, &title).await;
    assert_eq!(deliver(&path, 2, "a").await, DELIVERED);
    assert_eq!(keys(&path), [key(1), key(2)].map(Some));
}

/// A write that was cut short, after every byte of it.
#[tokio::test]
async fn a_torn_line_is_written_anew() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    deliver(&path, 1, "é").await;
    let first = fs::read(&path).unwrap();
    deliver(&path, 2, "é").await;
    let both = fs::read(&path).unwrap();
    for length in first.len()..both.len() {
        fs::write(&path, &both[..length]).unwrap();
        assert_eq!(deliver(&path, 2, "é").await, DELIVERED);
        assert_eq!(fs::read(&path).unwrap(), both, "torn after {length} bytes");
    }
}

#[tokio::test]
async fn a_last_line_of_somebody_else_keeps_its_bytes() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    fs::write(&path, b"{\"key\": \xff\0").unwrap();
    assert_eq!(deliver(&path, 1, "a").await, DELIVERED);
    assert_eq!(deliver(&path, 1, "a").await, DELIVERED);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"{\"key\": \xff\0\n{"), "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(bytes.split(|byte| *byte == b'\n').count() - 1, 2);
}

#[tokio::test]
async fn a_key_is_found_in_a_file_that_is_longer_than_anybody_reads() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    fs::write(&path, "x".repeat(3 * 1024 * 1024)).unwrap();
    for number in [1, 2, 1] {
        assert_eq!(deliver(&path, number, "a").await, DELIVERED);
    }
    assert_eq!(keys(&path), [None, Some(key(1)), Some(key(2))]);
}

#[tokio::test]
async fn what_cannot_be_written_to_is_tried_again_and_says_why() {
    let (_kept, dir) = directory();
    let fifo = dir.join("fifo");
    nix::unistd::mkfifo(fifo.as_std_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let nowhere = dir.join("nowhere/letters.jsonl");
    for (path, words) in
        [(&dir, "could not open"), (&fifo, "is not a regular file"), (&nowhere, "could not open")]
    {
        match deliver(path, 1, "a").await {
            Delivery::Retry { why, after: None } => {
                assert!(why.contains(words) && why.contains(path.as_str()), "{why}");
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_left_alone() {
    let (_kept, dir) = directory();
    let path = dir.join("letters.jsonl");
    let held = fs::File::create(&path).unwrap();
    held.lock().unwrap();
    let Delivery::Retry { why, .. } = deliver(&path, 1, "a").await else { panic!("it is locked") };
    assert!(why.contains("locked"), "{why}");
    drop(held);
    assert_eq!(deliver(&path, 1, "a").await, DELIVERED);
}
