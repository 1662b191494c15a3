//! Repositories as maps of files.

use std::collections::BTreeMap;

use super::*;

struct Files(BTreeMap<&'static str, &'static str>);

impl RepositoryFiles for Files {
    fn read(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|&text| text.to_owned())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.keys().any(|it| {
            *it == path || it.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

fn command(files: &[(&'static str, &'static str)]) -> Option<String> {
    let files = Files(files.iter().copied().collect());
    detect(&files).test_command.map(|it| format!("{} ({})", it.run, it.why))
}

#[test]
fn a_target_test_of_a_makefile_wins() {
    let files =
        [("Makefile", "all: build\n\nbuild test: x\n\tcargo test\n"), ("Cargo.toml", "[package]")];
    assert_eq!(command(&files).as_deref(), Some("make test (Makefile has a target `test`)"));
}

#[test]
fn a_makefile_without_a_rule_for_test_is_passed_over() {
    for text in
        ["test := yes\nall:\n\techo test:\n", ".PHONY: test\n", "# test: x\n", "test ::= yes\n"]
    {
        let files = [("Makefile", text), ("go.mod", "module x")];
        assert_eq!(command(&files).as_deref(), Some("go test ./... (go.mod is there)"), "{text}");
    }
}

#[test]
fn a_recipe_of_a_justfile_is_found_with_its_parameters() {
    assert_eq!(
        command(&[("justfile", "@test *args:\n  cargo test {{args}}\n")]).as_deref(),
        Some("just test (justfile has a recipe `test`)")
    );
    assert_eq!(command(&[("justfile", "test := 'x'\n")]), None);
}

#[test]
fn a_cargo_workspace_is_tested_as_a_whole() {
    assert_eq!(
        command(&[("Cargo.toml", "[workspace]\n")]).as_deref(),
        Some("cargo test --workspace (Cargo.toml is there)")
    );
}

#[test]
fn the_package_manager_follows_the_lock_file() {
    let package = ("package.json", r#"{ "scripts": { "test": "vitest run" } }"#);
    for (lock, run) in [
        ("package-lock.json", "npm"),
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun run"),
    ] {
        let expected = format!("{run} test (package.json has a script `test`)");
        assert_eq!(command(&[package, (lock, "")]), Some(expected));
    }
}

#[test]
fn what_npm_init_writes_is_not_a_test() {
    let package = r#"{ "scripts": { "test": "echo \"Error: no test specified\" && exit 1" } }"#;
    assert_eq!(command(&[("package.json", package)]), None);
    assert_eq!(command(&[("package.json", "not json")]), None);
}

#[test]
fn python_is_tested_with_what_it_names() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("tox.ini", "[tox]")], "tox"),
        (&[("pyproject.toml", "[tool.pytest.ini_options]")], "pytest"),
        (&[("pyproject.toml", "dev = [\"pytest\"]"), ("uv.lock", "")], "uv run pytest"),
        (&[("tests/conftest.py", "")], "pytest"),
        (&[("setup.py", ""), ("tests/test_a.py", "")], "python3 -m unittest discover -s tests"),
    ];
    for (files, run) in cases {
        let found = detect(&Files(files.iter().copied().collect())).test_command;
        assert_eq!(found.map(|it| it.run).as_deref(), Some(run), "{files:?}");
    }
}

#[test]
fn java_uses_the_wrapper_where_there_is_one() {
    let run = |files: &[(&'static str, &'static str)]| command(files).expect("a command");
    assert!(run(&[("pom.xml", "")]).starts_with("mvn -B -q test "));
    assert!(run(&[("pom.xml", ""), ("mvnw", "")]).starts_with("./mvnw "));
    assert!(run(&[("build.gradle.kts", ""), ("gradlew", "")]).starts_with("./gradlew test "));
}

#[test]
fn a_script_is_the_last_resort_and_nothing_is_no_guess() {
    assert_eq!(
        command(&[("tests/run.sh", "")]).as_deref(),
        Some("sh tests/run.sh (tests/run.sh is there)")
    );
    assert_eq!(command(&[("README.md", "")]), None);
}

#[test]
fn languages_bring_the_places_of_their_toolchains() {
    let found = detect(&Files([("Cargo.toml", ""), ("go.mod", "")].into()));
    assert_eq!(found.languages, ["Rust", "Go"]);
    assert_eq!(found.home_places, [".cargo", ".rustup", "go", ".local/go"]);
}
