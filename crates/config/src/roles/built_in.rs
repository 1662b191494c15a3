//! The roles that come with the binary.

/// Their names and texts.
const BUILT_IN: &[(&str, &str)] = &[
    ("analyst", include_str!("../../../../roles/analyst.md")),
    ("architect", include_str!("../../../../roles/architect.md")),
    ("coder", include_str!("../../../../roles/coder.md")),
    ("developer", include_str!("../../../../roles/developer.md")),
    ("documenter", include_str!("../../../../roles/documenter.md")),
    ("plan-reviewer", include_str!("../../../../roles/plan-reviewer.md")),
    ("refine-reviewer", include_str!("../../../../roles/refine-reviewer.md")),
    ("refiner", include_str!("../../../../roles/refiner.md")),
    ("reviewer", include_str!("../../../../roles/reviewer.md")),
    ("reviewer-code", include_str!("../../../../roles/reviewer-code.md")),
    ("reviewer-contract", include_str!("../../../../roles/reviewer-contract.md")),
    ("risk-analyst", include_str!("../../../../roles/risk-analyst.md")),
    ("solo", include_str!("../../../../roles/solo.md")),
    ("task-planner", include_str!("../../../../roles/task-planner.md")),
    ("tester", include_str!("../../../../roles/tester.md")),
];

/// Their names and texts, in the order of their names.
#[must_use]
pub const fn built_in() -> &'static [(&'static str, &'static str)] {
    BUILT_IN
}
