//! Preparing and describing the launch.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    definition::Network,
    failure::{FailureClass, MORE_MEMORY, speaks_of_a_full_disk},
    limits::{
        AGENT_STALL_LIMIT, AGENT_STOP_GRACE, AGENT_TOOL_LIMIT, RUN_LOG_BYTES_MAX,
        WORKSPACE_TIME_LIMIT,
    },
    run::Run,
};
use ports::{
    LaunchContext, LaunchLine, Mount, SandboxEnd, SandboxLimits, SandboxSpec, SandboxStatus,
    StopReason, Workspace,
};

use super::Assignment;
use crate::{Engine, jobs::JobError};

/// Copies files into the agent's home, inside its sandbox: the home belongs to the agent, and what looks like a
/// directory there may be a link to anywhere.
const INSTALL_HOME_FILES: &str = r#"set -eu
while [ "$#" -gt 0 ]; do
    mkdir -p "$(dirname "$HOME/$2")"
    cp "$1" "$HOME/$2"
    shift 2
done"#;

impl Engine {
    /// Puts the workspace onto its commit and the agent's own settings into its home, inside the sandbox.
    pub(super) async fn prepare(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
    ) -> Result<(), JobError> {
        let dir = self.layout.run(run.id);
        let brief = self.brief(assignment)?;
        self.write(&dir.join("brief.md"), brief.as_bytes()).await?;
        let branch = &assignment.pipeline.branch;
        let argv = self.ports.git.prepare_command(workspace, branch, &assignment.head);
        self.step_inside(
            assignment,
            workspace,
            run,
            "prepare",
            argv,
            "the workspace could not be prepared",
        )
        .await?;
        let line = self.launch_line(assignment, workspace, run, &brief)?;
        if !line.home_files.is_empty() {
            let mut argv = vec![
                "/bin/sh".to_owned(),
                "-c".to_owned(),
                INSTALL_HOME_FILES.to_owned(),
                "install".to_owned(),
            ];
            for (index, (path, content)) in line.home_files.iter().enumerate() {
                let from = dir.join(format!("home-{index}"));
                self.write(&from, content.as_bytes()).await?;
                argv.extend([from.to_string(), path.to_string()]);
            }
            self.step_inside(
                assignment,
                workspace,
                run,
                "install",
                argv,
                "the agent's settings could not be installed",
            )
            .await?;
        }
        Ok(())
    }

    async fn write(&self, path: &Utf8Path, content: &[u8]) -> Result<(), JobError> {
        self.ports.files.write(path, content).await.map_err(|error| JobError::Other {
            class: FailureClass::Resource,
            message: format!("could not write {path}: {error}"),
        })
    }

    /// Runs a command of our own inside the agent's sandbox, without a network, and waits for it.
    pub(super) async fn step_inside(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
        name: &str,
        argv: Vec<String>,
        what_failed: &str,
    ) -> Result<(), JobError> {
        let dir = self.layout.run(run.id).join(name);
        let mut spec = self.spec(assignment, workspace, run, argv);
        spec.name = format!("{}-{name}", run.id);
        spec.network = Network::None;
        spec.limits.silence = None;
        spec.limits.time = WORKSPACE_TIME_LIMIT;
        self.ports.sandbox.launch(&dir, &spec).await?;
        let status = self.ports.sandbox.wait(&dir).await?;
        let end = match status {
            SandboxStatus::Ended(record) => Some(record.end),
            SandboxStatus::Vanished | SandboxStatus::Absent | SandboxStatus::Running => None,
        };
        if end == Some(SandboxEnd::Exited { code: 0 }) {
            return Ok(());
        }
        let words = self.last_words(&dir).await?;
        // A step that did not succeed must be able to run again.
        self.ports.sandbox.remove(&dir).await?;
        Err(match end {
            // Not its doing, and a workspace that is made anew needs room as well.
            Some(SandboxEnd::Exited { .. }) if speaks_of_a_full_disk(&words) => {
                JobError::FullDisk { message: format!("{what_failed}: {words}") }
            }
            Some(SandboxEnd::Signaled { out_of_memory: true, .. }) => JobError::Other {
                class: FailureClass::Resource,
                message: format!(
                    "{what_failed}: it ran out of memory and the kernel ended it; {MORE_MEMORY}"
                ),
            },
            Some(SandboxEnd::Exited { .. }) => {
                JobError::Workspace { message: format!("{what_failed}: {words}") }
            }
            Some(SandboxEnd::Stopped { reason: StopReason::TimeLimit }) => {
                let minutes = WORKSPACE_TIME_LIMIT.as_secs() / 60;
                JobError::Workspace {
                    message: format!("{what_failed}: git did not end within {minutes} min"),
                }
            }
            Some(SandboxEnd::LaunchFailed { message }) => {
                JobError::permanent(format!("{what_failed}: {message}"))
            }
            // A restart of the machine, say: nobody's fault, and worth another try.
            Some(SandboxEnd::Signaled { .. } | SandboxEnd::Stopped { .. }) | None => {
                JobError::Other {
                    class: FailureClass::Lost,
                    message: format!("{what_failed}: its sandbox was ended from outside"),
                }
            }
        })
    }

    /// How the agent itself is launched: with its keys, and with its login where that is lent.
    pub(super) fn launch_spec(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
    ) -> Result<SandboxSpec, JobError> {
        let brief = self.brief(assignment)?;
        let line = self.launch_line(assignment, workspace, run, &brief)?;
        let profile = &assignment.agent.profile;
        let mut spec = self.spec(assignment, workspace, run, line.argv);
        spec.stdin = line.stdin;
        spec.env.extend(line.env);
        spec.env.extend(profile.env.clone());
        // Last, so that nothing configured can take the place of what the machinery relies on.
        spec.env.extend(self.own_environment(assignment, workspace, run));
        spec.mounts.extend(line.readable.iter().map(|path| same_place(path, false)));
        if let Some(login) = self.options.login_home.as_ref().filter(|_| profile.lend_login) {
            let lend = |path: &Utf8PathBuf| Mount {
                from: login.join(path),
                to: workspace.home.join(path),
                writable: false,
            };
            spec.mounts.extend(line.login.iter().map(|file| lend(&file.path)));
        }
        Ok(spec)
    }

    fn launch_line(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
        brief: &str,
    ) -> Result<LaunchLine, JobError> {
        let context = LaunchContext {
            profile: &assignment.agent.profile,
            model: assignment.settings.model.as_deref(),
            brief: &self.layout.run(run.id).join("brief.md"),
            brief_text: brief,
            workspace: &workspace.repository,
            home: &workspace.home,
            // A conversation lies in the agent's home: a new one, as after a restore, knows none.
            session: assignment.session.as_deref().filter(|_| workspace.reused),
            path: &self.options.path,
            gatewright: &self.options.gatewright,
        };
        assignment
            .agent
            .kind
            .launch_line(&context)
            .map_err(|error| JobError::permanent(error.to_string()))
    }

    /// What every command in the agent's sandbox gets: nothing that is secret.
    fn spec(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
        argv: Vec<String>,
    ) -> SandboxSpec {
        let mut env = self.options.env.clone();
        env.extend(self.own_environment(assignment, workspace, run));
        SandboxSpec {
            name: run.id.to_string(),
            argv,
            env,
            cwd: workspace.repository.clone(),
            stdin: None,
            mounts: self.mounts(workspace, run),
            network: assignment.stage.network,
            limits: assignment.limits(),
        }
    }

    fn mounts(&self, workspace: &Workspace, run: &Run) -> Vec<Mount> {
        let mut mounts = self.options.mounts.clone();
        mounts.push(same_place(&self.options.gatewright, false));
        mounts.push(same_place(&workspace.borrowed_objects, false));
        for path in [&workspace.repository, &workspace.outbox, &workspace.home] {
            mounts.push(same_place(path, true));
        }
        mounts.push(same_place(&self.layout.run(run.id), false));
        mounts
    }

    fn own_environment(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
    ) -> BTreeMap<String, String> {
        let Assignment { job, pipeline, stage, role, .. } = assignment;
        let brief = self.layout.run(run.id).join("brief.md");
        let name = format!("Gatewright ({role})");
        let email = "agent@gatewright.invalid";
        let own = [
            ("PATH", self.options.path.as_str()),
            ("HOME", workspace.home.as_str()),
            ("LANG", "C.UTF-8"),
            ("GIT_AUTHOR_NAME", &name),
            ("GIT_AUTHOR_EMAIL", email),
            ("GIT_COMMITTER_NAME", &name),
            ("GIT_COMMITTER_EMAIL", email),
            ("GATEWRIGHT_BRIEF", brief.as_str()),
            ("GATEWRIGHT_ITEM", &pipeline.item.key.to_string()),
            ("GATEWRIGHT_PIPELINE", &pipeline.id.to_string()),
            ("GATEWRIGHT_STAGE", stage.name.as_str()),
            ("GATEWRIGHT_ROLE", role.as_str()),
            ("GATEWRIGHT_ATTEMPT", &job.slot.attempt.to_string()),
            ("GATEWRIGHT_RUN", &run.id.to_string()),
        ];
        own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

impl Assignment<'_> {
    pub(super) fn stall_limit(&self) -> std::time::Duration {
        self.stage.stall_limit.or(self.agent.stall_limit).unwrap_or(AGENT_STALL_LIMIT)
    }

    fn limits(&self) -> SandboxLimits {
        let stall = self.stall_limit();
        // The shim sees bytes only. Where the stream tells of tool calls, we tell silence from a long call and the
        // shim is the backstop; where it does not, any silence counts.
        let silence =
            if self.agent.kind.reports_tool_calls() { stall.max(AGENT_TOOL_LIMIT) } else { stall };
        SandboxLimits {
            time: self.time_limit(),
            silence: Some(silence),
            log_bytes: RUN_LOG_BYTES_MAX,
            stop_grace: AGENT_STOP_GRACE,
        }
    }
}

/// A host path that is seen inside at the same place.
fn same_place(path: &Utf8Path, writable: bool) -> Mount {
    Mount { from: path.to_owned(), to: path.to_owned(), writable }
}
