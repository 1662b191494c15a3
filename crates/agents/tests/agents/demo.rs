//! The demo, played from its item to its test report on the real repository with real git and a real shell.

use std::{fs, os::unix::fs::PermissionsExt};

use agents::scripted::demo::{DEMO_DESCRIPTION, DEMO_TESTS, DEMO_TITLE, demo_repository};
use domain::run::RunOutcome;

use crate::player::Stage;

const DOCUMENTS: &str = "docs/work-items/ET-001";

struct Demo {
    stage: Stage,
}

impl Demo {
    fn new() -> Self {
        let stage = Stage::new();
        for file in demo_repository() {
            let path = stage.workspace().join(file.path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a new directory");
            fs::write(&path, file.content).expect("a new file");
            fs::set_permissions(
                &path,
                PermissionsExt::from_mode(if file.executable { 0o755 } else { 0o644 }),
            )
            .expect("a mode");
        }
        stage.run(&["git", "add", "--all"]);
        assert_eq!(stage.run(&["git", "commit", "--quiet", "--message", "greet"]).0, Some(0));
        Self { stage }
    }

    /// Plays a role; `found` is what its brief says is to be mended.
    fn play(&self, role: &str, attempt: u32, found: &str) {
        let brief = self.stage.root.join("brief.md");
        fs::write(&brief, format!("# Brief\n\n{found}\n")).expect("a brief");
        let attempt = attempt.to_string();
        let vars = [
            ("GATEWRIGHT_ROLE", role),
            ("GATEWRIGHT_ATTEMPT", attempt.as_str()),
            ("GATEWRIGHT_BRIEF", brief.as_str()),
        ];
        let played = self.stage.play_as("demo", &vars);
        assert_eq!((played.code, played.err.as_str()), (0, ""), "{role} {attempt}");
        let read = played.read();
        assert!(
            matches!(read.outcome, RunOutcome::Ended { .. }),
            "{role} {attempt}: {:?}",
            read.outcome
        );
        assert!(read.usage.tokens() > 0, "{role} {attempt}");
        assert_eq!(
            self.stage.run(&["git", "status", "--porcelain"]).1,
            "",
            "{role} {attempt} leaves nothing lying about"
        );
    }

    /// Exit code and output of the tests, run as the gate runs them.
    fn tests(&self) -> (Option<i32>, String) {
        self.stage.run(&DEMO_TESTS.split(' ').collect::<Vec<_>>())
    }
}

#[test]
fn the_demo_goes_the_way_that_it_tells() {
    let demo = Demo::new();
    assert_eq!(demo.tests().0, Some(0), "the repository is sound before");

    demo.play("analyst", 1, "");
    for name in ["01-brd.md", "02-trz.md", "03-acceptance-criteria.md", "04-test-plan.yaml"] {
        assert!(demo.stage.file(&format!("{DOCUMENTS}/{name}")).contains("ET-001"), "{name}");
    }
    demo.play("architect", 1, "");
    demo.stage.file(&format!("{DOCUMENTS}/06-adr/0001-version-flag.md"));

    demo.play("developer", 1, "");
    let (code, first) = demo.tests();
    assert_eq!(code, Some(1), "{first}");
    let failed: Vec<_> = first.lines().filter(|line| line.starts_with("not ok")).collect();
    assert_eq!(failed, ["not ok 5 - --version prints the name and the version"]);

    demo.play("developer", 2, &first);
    assert_eq!(demo.tests().0, Some(0));

    demo.play("reviewer", 1, "");
    let review = demo.stage.file(&format!("{DOCUMENTS}/12-review.md"));
    assert!(
        review.starts_with("---\nverdict: REQUEST_CHANGES\n---\n") && review.contains("**P1**"),
        "{review}"
    );

    demo.play("developer", 3, &review);
    let (code, last) = demo.tests();
    assert_eq!((code, last.lines().last()), (Some(0), Some("1..7")), "{last}");

    demo.play("reviewer", 2, "");
    assert!(
        demo.stage
            .file(&format!("{DOCUMENTS}/12-review.md"))
            .starts_with("---\nverdict: APPROVED\n---\n")
    );
    demo.play("tester", 1, "");
    assert!(
        demo.stage
            .file(&format!("{DOCUMENTS}/13-test-report.md"))
            .starts_with("---\nresult: PASS\n---\n")
    );

    assert_eq!(demo.stage.run(&["sh", "bin/greet", "--shout", "--version"]).1, "greet 1.1.0\n");
    assert!(demo.stage.run(&["sh", "bin/greet", "--help"]).1.contains("--version"));
    assert!(demo.stage.file("README.md").contains("`--version`"));
}

#[test]
fn a_developer_whose_brief_has_no_findings_stops() {
    let demo = Demo::new();
    demo.play("developer", 1, "");
    let brief = demo.stage.root.join("brief.md");
    fs::write(&brief, "nothing of use").unwrap();
    for attempt in ["2", "3"] {
        let vars = [
            ("GATEWRIGHT_ROLE", "developer"),
            ("GATEWRIGHT_ATTEMPT", attempt),
            ("GATEWRIGHT_BRIEF", brief.as_str()),
        ];
        assert_eq!(demo.stage.play_as("demo", &vars).code, 1, "attempt {attempt}");
    }
}

#[test]
fn a_round_more_than_the_story_has_is_no_failure() {
    let demo = Demo::new();
    demo.play("developer", 9, "");
    demo.play("developer", 1, "");
    demo.play("developer", 1, "");
}

#[test]
fn the_item_has_a_title_and_a_description_that_an_intake_accepts() {
    assert!((5..=80).contains(&DEMO_TITLE.len()) && DEMO_DESCRIPTION.len() >= 20);
}
