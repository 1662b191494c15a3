//! A short storm. `cargo xtask chaos` is the long one.

use chaos::Storm;

use crate::world::PROGRAM;

/// 25 faults over 6 pipelines: nothing is lost, nothing is done twice, nothing is left behind (F14; 80 orphans after a
/// restart; results that were finished and dropped). The seed is printed where it fails.
#[test]
fn whatever_is_killed_every_effect_is_counted_once() {
    let seed = u64::from(std::process::id());
    let report = Storm { program: PROGRAM.to_owned(), kills: 25, pipelines: 6, seed }.run();
    assert!(report.violations.is_empty(), "{report}");
}
