//! `artifacts`.

use domain::{definition::Check, verdict::VerdictOutcome};

use crate::support::{World, world};

fn check(all_of: &[&str], any_of: &[&str]) -> Check {
    let own = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
    Check::Artifacts { all_of: own(all_of), any_of: own(any_of) }
}

async fn defects(world: World, all_of: &[&str]) -> Vec<String> {
    let verdict = world.judge(check(all_of, &[])).await;
    assert_eq!(verdict.outcome == VerdictOutcome::Pass, verdict.findings.is_empty());
    verdict.findings.into_iter().map(|finding| finding.message).collect()
}

#[tokio::test]
async fn files_that_are_there_and_well_formed_pass() {
    let world = world(&[
        ("docs/ET-001/01-brd.md", "# Request\n"),
        ("docs/ET-001/02-plan.yaml", "cases:\n  - one\n"),
        ("docs/ET-001/03.json", "\u{feff}{\"a\": [1]}"),
        ("docs/ET-001/adr/1.md", "---\nstatus: proposed\n---\ntext"),
    ]);
    let check = check(
        &["docs/{item}/01-brd.md", "docs/{item}/*.yaml", "docs/{item}/*.json"],
        &["docs/{item}/adr/*.md", "nowhere"],
    );
    let verdict = world.judge(check).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass, "{:?}", verdict.findings);
    assert_eq!(verdict.summary, "4 files are there and well-formed");
    assert!(verdict.started_at < verdict.finished_at);
}

#[tokio::test]
async fn every_missing_file_is_named() {
    let verdict = world(&[("docs/ET-002/a.md", "x")])
        .judge(check(&["docs/{item}/*.md", "b.md"], &["c", "d"]))
        .await;
    let messages: Vec<_> =
        verdict.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        ["`docs/ET-001/*.md` is missing", "`b.md` is missing", "one of these is missing: `c`, `d`"]
    );
    assert_eq!(verdict.summary, "3 artifacts are missing or broken");
}

#[tokio::test]
async fn an_empty_or_broken_file_fails_with_its_path() {
    let world = world(&[
        ("a.md", " \n\t\n"),
        ("b.yaml", "a: [\n"),
        ("c.yml", "# nothing yet\n"),
        ("d.json", "{\"a\": 1,}"),
        ("e.md", "---\ntitle: x\n"),
        ("f.md", "---\na: 1\na: 2\n---\n"),
    ]);
    let verdict = world.judge(check(&["*"], &[])).await;
    insta::assert_snapshot!(
        verdict.findings.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(verdict.findings[1].path.as_deref(), Some("b.yaml"));
}

#[tokio::test]
async fn a_link_is_never_followed() {
    assert_eq!(
        defects(world(&[]).with_link("a.md"), &["a.md"]).await,
        ["`a.md` is not a regular file"]
    );
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused_and_a_picture_is_not() {
    let world = world(&[]).with_bytes("a.md", b"caf\xe9").with_bytes("b.png", b"\x89PNG\xff");
    assert_eq!(defects(world, &["*.md", "*.png"]).await, ["`a.md` is not UTF-8 text"]);
}

#[tokio::test]
async fn a_file_too_large_to_parse_is_refused_and_a_large_picture_is_not() {
    let large = vec![b'x'; 1024 * 1024 + 1];
    let world = world(&[]).with_bytes("a.md", &large).with_bytes("b.png", &large);
    assert_eq!(defects(world, &["*.md", "*.png"]).await, ["`a.md` is larger than 1 MiB"]);
}

#[tokio::test]
async fn a_yaml_bomb_fails_and_does_not_explode() {
    let bomb = format!("a: &a [{}]\nb: [{}]\n", "1,".repeat(150_000), "*a,".repeat(150_000));
    let found = defects(world(&[("a.yaml", &bomb)]), &["a.yaml"]).await;
    assert!(found[0].contains("too many values"), "{found:?}");
}

#[tokio::test]
async fn a_pattern_that_matches_everything_is_bounded() {
    let world = (0..300).fold(world(&[]), |world, n| world.with_bytes(&format!("a/{n}.txt"), b"x"));
    assert_eq!(defects(world, &["a/*"]).await, ["300 files match, at most 256 can be checked"]);
}

#[tokio::test]
async fn a_pattern_that_is_none_is_the_definitions_fault() {
    let error = world(&[]).ask(check(&["../x"], &[])).await.unwrap_err();
    assert_eq!(error.gate, "tests");
    assert!(error.reason.contains("`../x`"), "{error}");
}
