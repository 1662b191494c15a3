//! The built-in agent, played in this process.

use std::collections::BTreeMap;

use agents::scripted::{Options, play};
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    failure::FailureClass::{self, Credentials, Permanent, Quota, Transient},
    run::AgentEvent,
};

use crate::run::{Read, exited, read};

/// A repository to play in.
pub(crate) struct Stage {
    _dir: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) vars: BTreeMap<String, String>,
}

/// What was played.
pub(crate) struct Played {
    pub(crate) code: u8,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a real path");
        let root = Utf8PathBuf::from_path_buf(root).expect("a path in UTF-8");
        for name in ["workspace", "home"] {
            std::fs::create_dir(root.join(name)).expect("a new directory");
        }
        let home = root.join("home");
        let mut vars = BTreeMap::from([("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned())]);
        for (name, value) in [
            ("PATH", std::env::var("PATH").expect("a PATH").as_str()),
            ("HOME", home.as_str()),
            ("GIT_AUTHOR_NAME", "Agent"),
            ("GIT_AUTHOR_EMAIL", "agent@example.com"),
            ("GIT_COMMITTER_NAME", "Agent"),
            ("GIT_COMMITTER_EMAIL", "agent@example.com"),
            ("GATEWRIGHT_ITEM", "ET-001"),
            ("GATEWRIGHT_STAGE", "development"),
            ("GATEWRIGHT_ATTEMPT", "1"),
        ] {
            vars.insert(name.to_owned(), value.to_owned());
        }
        let stage = Self { _dir: dir, root, vars };
        stage.run(&["git", "init", "--quiet", "--initial-branch", "main"]);
        stage
    }

    pub(crate) fn workspace(&self) -> Utf8PathBuf {
        self.root.join("workspace")
    }

    pub(crate) fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.workspace().join(path))
            .unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Exit code and standard output of a command in the workspace.
    pub(crate) fn run(&self, argv: &[&str]) -> (Option<i32>, String) {
        let mut command = std::process::Command::new(argv[0]);
        command.args(&argv[1..]).env_clear().envs(&self.vars).current_dir(self.workspace());
        let output = command.output().expect("a command that starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) fn play_as(&self, scenario: &str, vars: &[(&str, &str)]) -> Played {
        let mut all = self.vars.clone();
        all.extend(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let options =
            Options { scenario: scenario.to_owned(), workspace: self.workspace(), vars: all };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = play(&options, &mut out, &mut err);
        Played { code, out, err: String::from_utf8(err).expect("words") }
    }

    fn play(&self, scenario: &str) -> Played {
        self.play_as(scenario, &[])
    }

    fn play_text(&self, text: &str) -> Played {
        let file = self.root.join("scenario.toml");
        std::fs::write(&file, format!("description = \"d\"\nexpect = \"e\"\n[[run]]\n{text}"))
            .expect("a scenario");
        self.play(file.as_str())
    }
}

impl Played {
    pub(crate) fn read(&self) -> Read {
        read("scripted", &String::from_utf8_lossy(&self.out), &exited(self.code.into()), &self.err)
    }
}

#[test]
fn misbehaviour_ends_as_it_is_written_down() {
    // Those that end by themselves, and of which the stream tells the end.
    let table: &[(&str, Option<FailureClass>)] = &[
        ("split-writes", None),
        ("nothing-done", None),
        ("breaks-tests", None),
        ("deletes-tests", None),
        ("loosens-tests", None),
        ("edits-gates", None),
        ("other-branch", None),
        ("prints-secrets", None),
        ("injects-prompt", None),
        ("rate-limited-success", Some(Quota)),
        ("retry-after", Some(Transient)),
        ("cut", Some(Transient)),
        ("credentials", Some(Credentials)),
        ("wrong-exit-code", Some(Permanent)),
        ("asks-again", None),
        ("answers-for-another", None),
        ("fills-disk", None),
    ];
    for &(name, class) in table {
        let stage = Stage::new();
        let played = stage.play(name);
        assert_eq!(played.read().class(), class, "{name}: {} {}", played.code, played.err);
    }
}

#[test]
fn a_split_character_arrives_whole() {
    let read = Stage::new().play("split-writes").read();
    assert!(
        read.events.contains(&AgentEvent::Text { text: "café".to_owned() }),
        "{:?}",
        read.events
    );
}

#[test]
fn what_is_overloaded_once_succeeds_the_second_time() {
    let stage = Stage::new();
    assert_eq!(stage.play("overloaded-once").read().class(), Some(Transient));
    assert_eq!(stage.play("overloaded-once").read().class(), None);
    assert_eq!(stage.run(&["git", "log", "--format=%s"]).1, "ET-001: add a file\n");
}

#[test]
fn commits_are_real_and_nothing_is_committed_twice() {
    let stage = Stage::new();
    let text = "[[run.step]]\nwrite = { path = \"a/b.txt\", content = \"for {item} ${HOME}\\n\" }\n[[run.step]]\ncommit = \"{item}: a\"\n";
    assert_eq!(stage.play_text(text).code, 0);
    assert_eq!(stage.play_text(text).code, 0);
    assert_eq!(stage.file("a/b.txt"), "for ET-001 ${HOME}\n");
    assert_eq!(stage.run(&["git", "rev-list", "--count", "HEAD"]).1, "1\n");
}

#[test]
fn an_edit_is_made_once() {
    let stage = Stage::new();
    let text = "[[run.step]]\nedit = { path = \"f\", replace = \"b\\n\", with = \"b\\nc\\n\" }\n";
    assert_eq!(stage.play_text(text).code, 1, "there is no file yet");
    std::fs::write(stage.workspace().join("f"), "a\nb\n").unwrap();
    assert_eq!((stage.play_text(text).code, stage.play_text(text).code), (0, 0));
    assert_eq!(stage.file("f"), "a\nb\nc\n");
}

#[test]
fn a_brief_without_the_words_fails_the_run() {
    let stage = Stage::new();
    let brief = stage.root.join("brief.md");
    std::fs::write(&brief, "mend the version").unwrap();
    let play = |words: &str| {
        let file = stage.root.join("scenario.toml");
        let step = format!(
            "description = \"d\"\nexpect = \"e\"\n[[run]]\n[[run.step]]\nbrief_contains = \"{words}\"\n"
        );
        std::fs::write(&file, step).unwrap();
        stage.play_as(file.as_str(), &[("GATEWRIGHT_BRIEF", brief.as_str())])
    };
    assert_eq!(play("the version").code, 0);
    let missing = play("the flag");
    assert_eq!((missing.code, missing.err.as_str()), (1, "the brief does not say `the flag`\n"));
}

#[test]
fn a_failing_step_ends_the_run_unless_it_was_tried() {
    let stage = Stage::new();
    let failed =
        stage.play_text("[[run.step]]\nrun.command = [\"sh\", \"-c\", \"echo why; exit 3\"]\n");
    assert_eq!(
        (failed.code, failed.err.as_str()),
        (1, "`sh -c echo why; exit 3` ended with 3 in place of 0: why\n")
    );
    let tried = stage.play_text(
        "[[run.step]]\ntry = [{ run = { command = [\"false\"] } }]\n[[run.step]]\nexit = 7\n",
    );
    assert_eq!(tried.code, 7);
}

#[test]
fn a_daemon_outlives_the_player() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["mkfifo", "pipe"]).0, Some(0));
    // Nobody reads the pipe while the player plays: the daemon can only get rid of its words afterwards.
    let played =
        stage.play_text("[[run.step]]\ndaemon.command = [\"sh\", \"-c\", \"echo alive > pipe\"]\n");
    assert_eq!(played.code, 0);
    assert_eq!(stage.file("pipe"), "alive\n");
}

#[test]
fn raw_bytes_are_printed_as_they_are() {
    let played = Stage::new().play_text(
        "[[run.step]]\nraw = { hex = \"ff 0a\", times = 2 }\n[[run.step]]\nraw.text = \"x\"\n",
    );
    assert_eq!(played.out, b"\xff\n\xff\nx");
}

#[test]
fn a_mistake_in_a_scenario_is_named_with_its_place() {
    let stage = Stage::new();
    for (text, words) in [
        ("[[run.step]]\nwrit.path = \"a\"\n", "unknown variant `writ`"),
        (
            "[[run.step]]\nwrite = { path = \"a\", content = \"\", mode = 1 }\n",
            "unexpected keys in table: mode",
        ),
        ("[[run.step]]\nraw = { text = \"a\", hex = \"00\" }\n", "either `text` or `hex`"),
        ("[[run.step]]\nraw.hex = \"0\"\n", "not hexadecimal"),
        ("[[run.step]]\nexec = []\n", "a command is empty"),
    ] {
        let played = stage.play_text(text);
        assert_eq!(played.code, 64, "{text}");
        assert!(played.err.contains(words), "{text}: {}", played.err);
    }
    assert!(stage.play_text("[[run.step]]\nwrit.path = \"a\"\n").err.contains("line 5"));
    assert!(stage.play("demmo").err.contains("there is no scenario `demmo`; known are demo, "));
}

#[test]
fn a_run_is_chosen_by_role_stage_and_attempt() {
    let stage = Stage::new();
    let run = |condition: &str, code: u8| format!("{condition}\n[[run.step]]\nexit = {code}\n");
    let text = [
        run("role = \"tester\"", 11),
        run("[[run]]\nrole = \"developer\"\nattempt = 2", 12),
        run("[[run]]\nrole = \"developer\"\nstage = \"development\"", 13),
    ];
    stage.play_text(&text.concat());
    let file = stage.root.join("scenario.toml");
    let play = |role: &str, attempt: &str| {
        stage.play_as(file.as_str(), &[("GATEWRIGHT_ROLE", role), ("GATEWRIGHT_ATTEMPT", attempt)])
    };
    assert_eq!(
        (play("tester", "4").code, play("developer", "2").code, play("developer", "1").code),
        (11, 12, 13)
    );
    let nobody = play("analyst", "1");
    assert_eq!(nobody.code, 64);
    assert!(
        nobody.err.contains("no run for role `analyst`, stage `development`, attempt 1"),
        "{}",
        nobody.err
    );
}

#[test]
fn what_the_player_was_given_is_all_that_it_can_print() {
    let stage = Stage::new();
    let played = stage.play("prints-secrets");
    assert!(String::from_utf8_lossy(&played.out).contains("GATEWRIGHT_ITEM=ET-001"));
    let printed = stage.file("environment.txt");
    assert!(
        printed.contains("GATEWRIGHT_ITEM=ET-001") && !printed.contains("CARGO_MANIFEST_DIR"),
        "{printed}"
    );
    assert!(!Utf8Path::new("/etc/escaped.txt").exists());
}
