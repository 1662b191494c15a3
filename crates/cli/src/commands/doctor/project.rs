//! What the project gives: agents, a repository, a way to test it.

use api::{AgentView, BreakerView, CheckView};
use camino::Utf8Path;
use config::{Loaded, detect};
use domain::name::GateName;
use jiff::Timestamp;

use super::{missing, ok, warning};
use crate::{
    commands::{
        agents,
        data::{gatewright, root},
        holds,
        init::Tree,
    },
    context::Context,
    repository, wiring,
};

pub(super) async fn agents(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let views = agents::all(context, loaded).await;
    let mut checks: Vec<CheckView> = views.iter().map(agent).collect();
    let works = |it: &AgentView| it.problem.is_none() && it.kind != "scripted";
    if !views.iter().any(works) {
        let mend = views.iter().find(|it| it.kind != "scripted").and_then(|it| it.mend.clone());
        checks.push(missing(
            "agents",
            "none can be started",
            mend.unwrap_or_else(|| "gatewright init".to_owned()),
        ));
    } else if loaded.config.agent.is_none() && loaded.config.agents.is_empty() {
        checks.push(warning(
            "agents",
            "none is configured: name one with --agent each time",
            "gatewright init",
        ));
    }
    checks
}

/// Agents that could be started and wait all the same.
pub(super) async fn held(context: &Context) -> Vec<CheckView> {
    let check = |view: &BreakerView| {
        let found = holds::in_words(view, Timestamp::now());
        let mend = holds::mend(view, &gatewright(context));
        let mend = mend.unwrap_or_else(|| "it goes on by itself".to_owned());
        warning(&format!("agents of {}", view.breaker), found, mend)
    };
    holds::look(context).await.iter().map(check).collect()
}

fn agent(view: &AgentView) -> CheckView {
    let name = format!("agent {}", view.name);
    let mend =
        || view.mend.clone().unwrap_or_else(|| format!("gatewright agents check {}", view.name));
    match (&view.problem, view.configured) {
        (None, _) => {
            let parts = [view.program.as_deref(), view.version.as_deref()];
            ok(&name, parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        (Some(problem), true) => missing(&name, problem, mend()),
        (Some(problem), false) => {
            warning(&name, format!("{problem}; it is not configured"), mend())
        }
    }
}

pub(super) async fn repository(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    const NAME: &str = "repository";
    let dir = root(context);
    let Ok(git) = wiring::git(context, &dir).await else {
        return vec![warning(NAME, "cannot be looked at without git", "apt-get install git")];
    };
    match repository::find(context, &git, None).await {
        Ok(found) => {
            let branch = found.branch.as_ref().map_or("a detached HEAD", |it| it.as_str());
            let place = format!("{} on {branch} at {}", found.root, found.head.short());
            vec![ok(NAME, place), tests(loaded, &found.root)]
        }
        Err(error) => {
            let mend =
                error.help.unwrap_or_else(|| "cd to a repository, or use --repo DIR".to_owned());
            vec![warning(NAME, error.message, mend)]
        }
    }
}

fn tests(loaded: &Loaded, root: &Utf8Path) -> CheckView {
    const NAME: &str = "test command";
    let settings = loaded.project_at(root);
    let gate = GateName::new("tests").ok().and_then(|name| settings.gates.get(&name)?.run.clone());
    if let Some(run) = gate {
        return ok(NAME, format!("{run} (configured)"));
    }
    match detect::detect(&Tree { root: root.to_owned() }).test_command {
        Some(command) => ok(NAME, format!("{} ({})", command.run, command.why)),
        None => warning(
            NAME,
            "none is configured, none was found",
            "gatewright run --check \"make test\" …",
        ),
    }
}
