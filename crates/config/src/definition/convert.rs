//! From the file's shape to a definition: defaults, and keys that do not belong where they stand.

use domain::{
    definition::{
        Action, Check, Definition, Gate, GateKind, Mode, PipelineLimits, Push, Route, Stage,
        WorkspaceAccess,
    },
    limits,
};

use super::file::{DefinitionFile, GateTable, LimitsTable, RouteTable, StageTable};
use crate::{document::Document, key_path::KeyPath, nearest::listed, problem::Problem};

/// What usually holds tests: the gate `tests` fails where a branch deletes any of it.
const TEST_FILES: &[&str] = &[
    "tests/**",
    "test/**",
    "spec/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/src/test/**",
    "**/test_*.*",
    "**/*_test.*",
    "**/*_spec.*",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*Test.java",
    "**/*Test.kt",
];

/// Turns the file into a definition. Where a gate's command is left to the project, `run` is empty.
pub(super) fn convert(
    file: DefinitionFile,
    document: &Document<'_>,
) -> (Option<Definition>, Vec<Problem>) {
    let mut convert = Convert { document, problems: Vec::new() };
    let DefinitionFile { name, description, start, limits, stage } = file;
    let stages: Vec<Stage> =
        stage.into_iter().enumerate().map(|(index, it)| convert.stage(it, index)).collect();
    let LimitsTable { wall_time, tokens, cost_usd } = limits;
    let limits = PipelineLimits { wall_time, tokens, cost_usd };
    let start = start.or_else(|| stages.first().map(|it| it.name.clone()));
    if start.is_none() {
        let problem = document.problem_at(&KeyPath::from(["stage"]), "the definition has no stage");
        convert.problems.push(problem.with_help("add a `[[stage]]` table"));
    }
    let definition = start.map(|start| Definition { name, description, start, limits, stages });
    (definition, convert.problems)
}

struct Convert<'a> {
    document: &'a Document<'a>,
    problems: Vec<Problem>,
}

impl Convert<'_> {
    fn error(&mut self, path: &KeyPath, message: String, help: &str) {
        self.problems.push(self.document.problem_at(path, message).with_help(help));
    }

    fn stage(&mut self, table: StageTable, index: usize) -> Stage {
        let path = KeyPath::from(["stage"]).index(index);
        if let Some(action) = table.action {
            self.refuse_agent_keys(&table, action, &path);
        }
        let mode = table.mode.unwrap_or_default();
        if table.roles.is_some() && table.waves.is_some() {
            let message = format!("stage `{}` has both `roles` and `waves`", table.name);
            self.error(
                &path.key("waves"),
                message,
                "use `waves` where several roles work side by side, else `roles`",
            );
        } else if table.waves.is_some() && mode == Mode::Single {
            let message = format!("stage `{}` has `waves`, but its mode is `single`", table.name);
            self.error(&path.key("waves"), message, "set `mode = \"waves\"`");
        }
        let one_each = |roles: Vec<_>| roles.into_iter().map(|role| vec![role]).collect();
        let waves = match (table.waves, table.roles) {
            (Some(waves), _) => waves,
            (None, Some(roles)) if mode == Mode::Waves => one_each(roles),
            (None, Some(roles)) if roles.is_empty() => Vec::new(),
            (None, Some(roles)) => vec![roles],
            (None, None) => Vec::new(),
        };
        let default_workspace =
            if table.action.is_some() { WorkspaceAccess::None } else { WorkspaceAccess::default() };
        let workspace = table.workspace.unwrap_or(default_workspace);
        let default_push =
            if workspace == WorkspaceAccess::Write { Push::OwnBranch } else { Push::None };
        let gates = table.gates.into_iter().enumerate();
        let gates =
            gates.filter_map(|(gate, it)| self.gate(it, &path.key("gates").index(gate))).collect();
        Stage {
            name: table.name,
            mode,
            waves,
            on_role_failure: table.on_role_failure.unwrap_or_default(),
            action: table.action,
            workspace,
            network: table.network.unwrap_or_default(),
            push: table.push.unwrap_or(default_push),
            paths: table.paths.unwrap_or_default().into(),
            role_paths: table
                .role_paths
                .unwrap_or_default()
                .into_iter()
                .map(|(role, it)| (role, it.into()))
                .collect(),
            may_change_nothing: table.may_change_nothing.unwrap_or(false),
            time_limit: table.time_limit,
            stall_limit: table.stall_limit,
            gates,
            on_pass: table.on_pass,
            on_fail: table.on_fail.map(route),
        }
    }

    /// A stage that acts itself has no agents for these keys to speak about.
    fn refuse_agent_keys(&mut self, table: &StageTable, action: Action, path: &KeyPath) {
        let keys = [
            ("mode", table.mode.is_some()),
            ("on_role_failure", table.on_role_failure.is_some()),
            ("workspace", table.workspace.is_some()),
            ("network", table.network.is_some()),
            ("push", table.push.is_some()),
            ("paths", table.paths.is_some()),
            ("role_paths", table.role_paths.is_some()),
            ("may_change_nothing", table.may_change_nothing.is_some()),
            ("time_limit", table.time_limit.is_some()),
            ("stall_limit", table.stall_limit.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_set)| *is_set) {
            let message = format!(
                "`{key}` speaks about agents, and stage `{}` has the action `{action}`",
                table.name
            );
            self.error(&path.key(key), message, &format!("remove `{key}`"));
        }
    }

    fn gate(&mut self, table: GateTable, path: &KeyPath) -> Option<Gate> {
        let Ok(kind) = table.kind.parse::<GateKind>() else {
            self.error(
                &path.key("kind"),
                format!("`{}` is not a kind of gate", table.kind),
                "see the schema",
            );
            return None;
        };
        self.refuse_foreign_keys(&table, kind, path);
        let check = match kind {
            GateKind::Artifacts => Check::Artifacts {
                all_of: table.all_of.unwrap_or_default(),
                any_of: table.any_of.unwrap_or_default(),
            },
            GateKind::Absent => {
                Check::Absent { path: self.required("path", table.path, kind, path)? }
            }
            GateKind::Questions => {
                Check::Questions { path: self.required("path", table.path, kind, path)? }
            }
            GateKind::Verdict => {
                Check::Verdict { path: self.required("path", table.path, kind, path)? }
            }
            GateKind::Report => {
                Check::Report { path: self.required("path", table.path, kind, path)? }
            }
            GateKind::Command => {
                let is_tests = table.name.as_str() == "tests";
                let usual = || {
                    if is_tests {
                        TEST_FILES.iter().map(|it| (*it).to_owned()).collect()
                    } else {
                        Vec::new()
                    }
                };
                Check::Command {
                    run: table.run.unwrap_or_default(),
                    time_limit: table.time_limit.unwrap_or(limits::GATE_TIME_LIMIT),
                    keep: table.keep.unwrap_or_else(usual),
                }
            }
            GateKind::Approval => Check::Approval {
                question: self.required("question", table.question, kind, path)?,
                show: table.show.unwrap_or_default(),
            },
        };
        Some(Gate { name: table.name, check, on_fail: table.on_fail.map(route) })
    }

    fn required(
        &mut self,
        key: &str,
        value: Option<String>,
        kind: GateKind,
        path: &KeyPath,
    ) -> Option<String> {
        if value.is_none() {
            self.error(path, format!("a gate of kind `{kind}` needs `{key}`"), &takes(kind));
        }
        value
    }

    fn refuse_foreign_keys(&mut self, table: &GateTable, kind: GateKind, path: &KeyPath) {
        let blank = table.run.as_ref().is_some_and(|it| it.trim().is_empty());
        if blank {
            let help = "give a command, or leave `run` out to take the project's";
            self.error(
                &path.key("run"),
                format!("the command of gate `{}` is empty", table.name),
                help,
            );
        }
        let keys = [
            ("run", table.run.is_some()),
            ("time_limit", table.time_limit.is_some()),
            ("keep", table.keep.is_some()),
            ("all_of", table.all_of.is_some()),
            ("any_of", table.any_of.is_some()),
            ("path", table.path.is_some()),
            ("question", table.question.is_some()),
            ("show", table.show.is_some()),
        ];
        for (key, _) in
            keys.into_iter().filter(|(key, is_set)| *is_set && !own_keys(kind).contains(key))
        {
            let message = format!("`{key}` does not belong to a gate of kind `{kind}`");
            self.error(&path.key(key), message, &takes(kind));
        }
    }
}

fn own_keys(kind: GateKind) -> &'static [&'static str] {
    match kind {
        GateKind::Artifacts => &["all_of", "any_of"],
        GateKind::Absent | GateKind::Questions | GateKind::Verdict | GateKind::Report => &["path"],
        GateKind::Command => &["run", "time_limit", "keep"],
        GateKind::Approval => &["question", "show"],
    }
}

fn takes(kind: GateKind) -> String {
    format!(
        "a gate of kind `{kind}` takes {} and `on_fail`",
        listed(own_keys(kind).iter().copied())
    )
}

fn route(table: RouteTable) -> Route {
    let RouteTable { to, max, then } = table;
    Route { to, max: max.unwrap_or(limits::ROUTE_MAX), then: then.unwrap_or_default() }
}
