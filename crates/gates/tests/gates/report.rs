//! `report`.

use domain::{
    definition::Check,
    verdict::{Verdict, VerdictOutcome},
};

use crate::support::world;

async fn judge(report: &str) -> Verdict {
    world(&[("11-test-report.md", report)])
        .judge(Check::Report { path: "11-test-report.md".to_owned() })
        .await
}

#[tokio::test]
async fn a_pass_in_the_front_matter_passes() {
    for report in ["---\nresult: PASS\n---\n", "---\nresult: pass\n---\n3 failures were expected\n"]
    {
        assert_eq!(judge(report).await.outcome, VerdictOutcome::Pass, "{report:?}");
    }
}

#[tokio::test]
async fn the_word_in_the_prose_does_not_count() {
    for report in [
        "Result: PASS\n",
        "---\nresult: FAIL\n---\nresult: PASS\n",
        "---\nresult: PASSED\n---\n",
        "---\nresult: true\n---\n",
        "",
    ] {
        assert_eq!(judge(report).await.outcome, VerdictOutcome::Fail, "{report:?}");
    }
}

#[tokio::test]
async fn failures_that_are_listed_become_findings() {
    let report = "---\nresult: FAIL\nfailures:\n  - test: adds\n    path: src/a.rs:3\n    message: got 4\n  - it hangs\n---\n";
    let verdict = judge(report).await;
    assert_eq!(verdict.summary, "`11-test-report.md` reports failures");
    assert_eq!(verdict.findings[0].rule.as_deref(), Some("adds"));
    assert_eq!(
        (verdict.findings[0].path.as_deref(), verdict.findings[0].line),
        (Some("src/a.rs"), Some(3))
    );
    assert_eq!(verdict.findings[1].message, "it hangs");
}

#[tokio::test]
async fn failures_in_prose_are_carried_whole() {
    let verdict = judge("---\nresult: FAIL\n---\nTwo of three cases fail.\n").await;
    assert_eq!(verdict.findings[0].message, "Two of three cases fail.");
}
