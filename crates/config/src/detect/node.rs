//! How a package of npm, pnpm, yarn or bun is tested.

use serde_json::Value;

use super::{RepositoryFiles, TestCommand};

/// What `npm init` writes: not a test.
const NO_TEST: &str = "no test specified";

pub(super) fn find(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let package: Value = serde_json::from_str(&files.read("package.json")?).ok()?;
    let script = package["scripts"]["test"].as_str()?;
    if script.trim().is_empty() || script.contains(NO_TEST) {
        return None;
    }
    let run = match manager(files, &package) {
        "npm" => "npm test",
        "pnpm" => "pnpm test",
        "yarn" => "yarn test",
        _ => "bun run test",
    };
    Some(TestCommand::new(run, "package.json has a script `test`"))
}

/// The package manager: the package's own word, else the lock file, else npm.
fn manager(files: &dyn RepositoryFiles, package: &Value) -> &'static str {
    let said = package["packageManager"].as_str().and_then(|it| it.split('@').next());
    let managers = [
        ("pnpm", &["pnpm-lock.yaml"][..]),
        ("yarn", &["yarn.lock"]),
        ("bun", &["bun.lock", "bun.lockb"]),
        ("npm", &["package-lock.json", "npm-shrinkwrap.json"]),
    ];
    let by_word = managers.iter().find(|(name, _)| Some(*name) == said);
    let by_lock = || managers.iter().find(|(_, locks)| locks.iter().any(|it| files.exists(it)));
    by_word.or_else(by_lock).map_or("npm", |(name, _)| name)
}
