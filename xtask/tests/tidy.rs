//! The house rules that a program can check, on the whole tree. `STYLE.md` says why.

use std::{path::Path, process::Command};

use xtask::{
    attributes, changes,
    complaint::{Complaint, assert_none},
    leftovers, links, lockfile, machine_paths, manifests, module_shape, named_tests, test_code,
    tree::{TextFile, root, rust_files, text_files},
};

/// Files that may be longer than the others: path and reason.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn every_module_says_what_it_is_for() {
    on_rust_files(module_shape::doc_line);
}

#[test]
fn no_file_is_too_long() {
    assert_none(module_shape::length(&rust_files().expect("a readable tree"), LONG_FILES));
}

#[test]
fn nothing_exists_only_in_tests_but_tests() {
    on_rust_files(attributes::test_only_code);
}

#[test]
fn no_data_is_accepted_by_guessing() {
    on_rust_files(attributes::loose_serde);
}

#[test]
fn no_test_is_ignored() {
    on_rust_files(test_code::ignored);
}

#[test]
fn no_test_sleeps() {
    on_rust_files(test_code::sleeping);
}

#[test]
fn tests_of_real_agents_can_be_left_out_by_name() {
    on_rust_files(test_code::unnamed_agents);
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let files = files(|file| {
        let extension = Path::new(&file.path).extension().and_then(|extension| extension.to_str());
        let script = file.path.starts_with("scripts/") || file.path.starts_with(".ci/");
        script || matches!(extension, Some("rs" | "toml" | "sql" | "sh"))
    });
    assert_none(files.iter().flat_map(leftovers::notes).collect());
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let checkout = root();
    let checkout = checkout.to_str().expect("a checkout with a name in UTF-8");
    // The checks have to spell what they look for.
    let files = files(|file| file.path != "xtask/src/machine_paths.rs");
    assert_none(files.iter().flat_map(|file| machine_paths::complaints(file, checkout)).collect());
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    on_files(
        |file| file.path.ends_with("Cargo.toml"),
        |file| manifests::lints(file).expect("a manifest"),
    );
}

#[test]
fn every_clippy_toml_repeats_the_root() {
    let root = file("clippy.toml");
    let of_crate = |file: &TextFile| file.path.ends_with("/clippy.toml");
    on_files(of_crate, |file| manifests::clippy(&root, file).expect("settings of Clippy"));
}

#[test]
fn dependencies_come_from_registries_and_are_not_banned() {
    assert_none(
        lockfile::complaints(&file("Cargo.lock"), &file("deny.toml").text).expect("a lock file"),
    );
}

#[test]
fn every_change_note_is_well_formed() {
    // `README.md` explains the format; after a release it is alone.
    let check = |file: &TextFile| {
        if file.path == "changes/README.md" { Vec::new() } else { changes::complaints(file) }
    };
    on_files(|file| file.path.starts_with("changes/"), check);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = files(|file| file.has_extension("md"));
    let exists = |path: &str| root().join(path).exists();
    assert_none(
        documents.iter().flat_map(|file| links::complaints(file, &documents, exists)).collect(),
    );
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let rust_files = rust_files().expect("a readable tree");
    assert_none(named_tests::complaints(&file("ARCHITECTURE.md"), 'I', &rust_files));
}

#[test]
fn every_failure_report_names_a_test_that_exists() {
    let rust_files = rust_files().expect("a readable tree");
    assert_none(named_tests::complaints(&file("docs/dev/durability.md"), 'F', &rust_files));
}

#[test]
fn the_tree_is_formatted() {
    let output = Command::new(env!("CARGO"))
        .args(["xfmt", "--check", "-l"])
        .current_dir(root())
        .output()
        .expect("cargo fmt is installed (`rustup component add rustfmt`)");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `cargo xfmt`:\n{said}");
}

fn on_rust_files(check: impl Fn(&TextFile) -> Vec<Complaint>) {
    on_files(|file| file.has_extension("rs"), check);
}

/// Runs a check on the files that are meant, of which there must be some.
fn on_files(meant: impl Fn(&TextFile) -> bool, check: impl Fn(&TextFile) -> Vec<Complaint>) {
    assert_none(files(meant).iter().flat_map(check).collect());
}

fn files(meant: impl Fn(&TextFile) -> bool) -> Vec<TextFile> {
    let files: Vec<_> = text_files().expect("a readable tree").into_iter().filter(meant).collect();
    assert!(!files.is_empty(), "the check looks at no file: has something moved?");
    files
}

fn file(path: &str) -> TextFile {
    let found = text_files().expect("a readable tree").into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}"))
}
