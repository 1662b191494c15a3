//! The list of the suite is complete.

#[test]
fn every_test_of_the_suite_is_run() {
    let list = include_str!("mod.rs");
    let groups = [
        include_str!("projects.rs"),
        include_str!("pipelines.rs"),
        include_str!("steps.rs"),
        include_str!("leases.rs"),
        include_str!("fairness.rs"),
        include_str!("merges.rs"),
        include_str!("events.rs"),
        include_str!("timers.rs"),
        include_str!("decisions.rs"),
        include_str!("runs.rs"),
    ];
    for group in groups {
        let names =
            group.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        let missing: Vec<_> =
            names.filter(|name| !list.lines().any(|line| line.trim() == *name)).collect();
        assert_eq!(missing, [""; 0], "not in the list of `store_conformance!`");
    }
}
