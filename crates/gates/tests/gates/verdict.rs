//! `verdict`.

use domain::{
    definition::Check,
    verdict::{Severity, Verdict, VerdictOutcome},
};

use crate::support::{World, world};

async fn judge_in(world: World, path: &str) -> Verdict {
    world.judge(Check::Verdict { path: path.to_owned() }).await
}

async fn judge(review: &str) -> Verdict {
    judge_in(world(&[("docs/ET-001/12-review.md", review)]), "docs/{item}/12-review.md").await
}

#[tokio::test]
async fn an_approval_passes_however_it_is_written() {
    for review in [
        "---\nverdict: APPROVED\n---\n",
        "\u{feff}---\r\nrole: reviewer\r\nverdict: Approved \r\n---\r\nFine.\r\n",
        "\n\n---\nverdict: \"approved\"\n---",
    ] {
        let verdict = judge(review).await;
        assert_eq!(verdict.outcome, VerdictOutcome::Pass, "{review:?}");
        assert_eq!(verdict.summary, "`docs/ET-001/12-review.md` approves");
    }
}

#[tokio::test]
async fn a_verdict_is_bound_to_commit_and_tree() {
    let verdict = judge("---\nverdict: APPROVED\n---\n").await;
    assert_eq!(verdict.commit.as_str(), "c".repeat(40));
    assert_eq!(verdict.tree.as_str(), "e".repeat(40));
    assert_eq!(verdict.gate.as_str(), "tests");
}

#[tokio::test]
async fn only_the_field_counts_not_what_the_text_says() {
    let table = "| Verdict | APPROVED |\n\n**Verdict: APPROVED**\n\n---\nverdict: APPROVED\n---\n";
    for review in [
        format!("---\nverdict: REQUEST_CHANGES\n---\n{table}"),
        format!("---\ntitle: Review\n---\n{table}"),
        table.to_owned(),
        "verdict: APPROVED\n".to_owned(),
        "---\nresult:\n  verdict: APPROVED\n---\n".to_owned(),
        "---\nverdict: APPROVED\nverdict: APPROVED\n---\n".to_owned(),
        "---\nverdict: [APPROVED]\n---\n".to_owned(),
        "---\nverdict: APPROVED with conditions\n---\n".to_owned(),
        "---\nverdict: АPPROVED\n---\n".to_owned(),
        "---\nverdict: APPROVED\n".to_owned(),
        "---\nVerdict: APPROVED\n---\n".to_owned(),
        "---\nverdict:\n---\nAPPROVED\n".to_owned(),
        "  ---\nverdict: APPROVED\n---\n".to_owned(),
        String::new(),
    ] {
        let verdict = judge(&review).await;
        assert_eq!(verdict.outcome, VerdictOutcome::Fail, "{review:?}");
        assert_eq!(verdict.findings[0].severity, Severity::Blocking, "{review:?}");
    }
}

#[tokio::test]
async fn a_request_for_changes_carries_its_must_fix_text_word_for_word() {
    let verdict = judge(
        "---\nverdict: REQUEST_CHANGES\n---\n# Review\n\n- [P2] naming\n- [P1] src/a.rs:10 drops the error\n  and goes on\n\n\
         ### P0: no test\nAt all.\n",
    )
    .await;
    assert_eq!(verdict.summary, "`docs/ET-001/12-review.md` requests changes");
    let found: Vec<_> =
        verdict.findings.iter().map(|it| (it.severity, it.message.as_str())).collect();
    assert_eq!(
        found,
        [
            (Severity::Blocking, "- [P1] src/a.rs:10 drops the error\n  and goes on"),
            (Severity::Blocking, "### P0: no test\nAt all."),
            (Severity::Advisory, "- [P2] naming"),
        ]
    );
    assert_eq!(
        (verdict.findings[0].path.as_deref(), verdict.findings[0].line),
        (Some("src/a.rs"), Some(10))
    );
}

#[tokio::test]
async fn listed_findings_are_taken_in_place_of_the_text() {
    let verdict = judge(
        "---\nverdict: request_changes\nfindings:\n  - {severity: P1, path: src/a.rs, line: 3, message: leaks}\n  \
         - {severity: P3, message: naming}\n---\n- [P0] only prose\n",
    )
    .await;
    let found: Vec<_> =
        verdict.findings.iter().map(|it| (it.severity, it.message.as_str())).collect();
    assert_eq!(found, [(Severity::Blocking, "leaks"), (Severity::Advisory, "naming")]);
}

#[tokio::test]
async fn a_request_without_marks_carries_the_whole_text() {
    let verdict =
        judge("---\nverdict: REQUEST_CHANGES\n---\nPlease \u{1b}[31madd\u{1b}[0m tests.\n").await;
    assert_eq!(verdict.findings.len(), 1);
    assert_eq!(verdict.findings[0].message, "Please add tests.");
    assert_eq!(verdict.findings[0].path.as_deref(), Some("docs/ET-001/12-review.md"));
}

#[tokio::test]
async fn a_long_review_is_cut_where_a_brief_ends() {
    let verdict =
        judge(&format!("---\nverdict: REQUEST_CHANGES\n---\n{}", "word ".repeat(20_000))).await;
    assert!((12 * 1024..12 * 1024 + 100).contains(&verdict.findings[0].message.len()));
    assert!(verdict.findings[0].message.contains("[cut: "));
}

#[tokio::test]
async fn an_unknown_or_missing_verdict_says_what_is_expected_and_keeps_the_text() {
    let verdict = judge("---\nverdict: LGTM\n---\nLooks good to me.\n").await;
    assert_eq!(verdict.summary, "`docs/ET-001/12-review.md` has the unknown verdict `LGTM`");
    assert!(
        verdict.findings[0]
            .message
            .contains("must say `verdict: APPROVED` or `verdict: REQUEST_CHANGES`")
    );
    assert_eq!(verdict.findings[1].message, "Looks good to me.");

    let verdict = judge("Looks good.\n").await;
    assert_eq!(
        verdict.summary,
        "`docs/ET-001/12-review.md` has no front matter: its first line must be `---`"
    );
}

#[tokio::test]
async fn a_request_that_says_nothing_still_blocks() {
    let verdict = judge("---\nverdict: REQUEST_CHANGES\n---\n").await;
    assert_eq!(verdict.findings[0].message, "`docs/ET-001/12-review.md` does not say what to mend");
}

#[tokio::test]
async fn a_json_verdict_works_as_well() {
    let files = [
        (
            "yes.json",
            r#"{"verdict": "approved", "findings": [{"severity": "P1", "message": "later"}]}"#,
        ),
        (
            "no.json",
            r#"{"verdict": "REQUEST_CHANGES", "findings": [{"severity": "P0", "message": "broken"}]}"#,
        ),
        ("bad.json", r#"{"verdict": "APPROVED", "verdict": "APPROVED"}"#),
        ("list.json", r#"["APPROVED"]"#),
    ];
    let verdict = judge_in(world(&files), "yes.json").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass);
    assert_eq!(verdict.findings[0].severity, Severity::Advisory);
    let verdict = judge_in(world(&files), "no.json").await;
    assert_eq!(
        (verdict.outcome, verdict.findings[0].message.as_str()),
        (VerdictOutcome::Fail, "broken")
    );
    for path in ["bad.json", "list.json"] {
        assert_eq!(judge_in(world(&files), path).await.outcome, VerdictOutcome::Fail, "{path}");
    }
}

#[tokio::test]
async fn a_review_that_is_no_readable_file_fails() {
    let verdict = judge_in(world(&[]), "r.md").await;
    assert_eq!(
        (verdict.outcome, verdict.summary.as_str()),
        (VerdictOutcome::Fail, "`r.md` does not exist")
    );
    let verdict = judge_in(world(&[]).with_link("r.md"), "r.md").await;
    assert_eq!(
        (verdict.outcome, verdict.summary.as_str()),
        (VerdictOutcome::Fail, "`r.md` is not a regular file")
    );
    let verdict =
        judge_in(world(&[]).with_bytes("r.md", b"---\nverdict: APPROVED\n---\n\xff"), "r.md").await;
    assert_eq!(
        (verdict.outcome, verdict.summary.as_str()),
        (VerdictOutcome::Fail, "`r.md` is not UTF-8 text")
    );
}

#[tokio::test]
async fn a_bomb_in_the_front_matter_fails() {
    let bomb = format!(
        "---\nverdict: APPROVED\na: &a [{}]\nb: [{}]\n---\n",
        "1,".repeat(100_000),
        "*a,".repeat(100_000)
    );
    assert_eq!(judge(&bomb).await.outcome, VerdictOutcome::Fail);
}
