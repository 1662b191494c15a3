//! `gatewright init`

use std::fs;

use testkit::repository::Repository;

use crate::world::{assert_error, gatewright};

#[test]
fn init_writes_a_file_that_works_and_never_overwrites_it() {
    let (gatewright, repository) = (gatewright(), Repository::greet());
    repository.file("Makefile", "test:\n\ttests/run.sh\n").commit("add a Makefile");
    let finished = gatewright.run(repository.path(), &["init"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let file = repository.path().join("gatewright.toml");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("make test"), "{written}");
    let checked = gatewright.run(repository.path(), &["config", "check"]);
    assert_eq!(checked.code(), Some(0), "{checked:#?}");

    assert_error(
        &gatewright.run(repository.path(), &["init"]),
        2,
        "gatewright.toml exists already",
        "config check",
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
}

#[test]
fn run_works_with_what_init_wrote() {
    let (gatewright, repository) = (gatewright(), Repository::greet());
    repository.file("Makefile", "test:\n\ttests/run.sh\n").commit("add a Makefile");
    assert_eq!(gatewright.run(repository.path(), &["init"]).code(), Some(0));
    let file = repository.path().join("gatewright.toml");
    let agent = "[agents.mine]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo new > new.txt\"]\n";
    let written = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{written}\n{agent}")).unwrap();
    let finished =
        gatewright.run(repository.path(), &["run", "Add a file", "--agent", "mine", "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(finished.json()["stages"][0]["gates"][0]["summary"], "`make test` exited with 0");
}
