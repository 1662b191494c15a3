//! What the project gives: agents, a repository, a way to test it.

use api::{AgentView, BreakerView, CheckView};
use camino::Utf8Path;
use config::{Loaded, detect};
use domain::name::{AgentName, GateName};
use jiff::Timestamp;

use super::{missing, ok, warning};
use crate::{
    called::gatewright,
    commands::{agents, data::root, holds, init::Tree},
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
            mend.unwrap_or_else(|| format!("{} init", gatewright())),
        ));
    } else if loaded.config.agent.is_none() && loaded.config.agents.is_empty() {
        checks.push(warning(
            "agents",
            "none is configured: name one with --agent each time",
            format!("{} init", gatewright()),
        ));
    }
    checks
}

/// Agents that could be started and wait all the same. Where that takes a person and there is no other agent to
/// take, no work can be done.
pub(super) async fn held(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let breakers = holds::look(context).await;
    let waits = |name: &AgentName| {
        breakers.iter().any(|it| it.waits_for_a_person() && it.agents.contains(name))
    };
    let main: Vec<&AgentName> = match &loaded.config.agent {
        Some(agent) => vec![agent],
        None => loaded.config.agents.keys().collect(),
    };
    let all_wait = !main.is_empty() && main.into_iter().all(waits);
    let check = |view: &BreakerView| {
        let name = format!("agents of {}", view.breaker);
        let now = Timestamp::now();
        let found = holds::in_words(view, now);
        match holds::mend(view, &gatewright()) {
            _ if holds::is_due(view, now) => {
                warning(&name, found, format!("the next `{} run` that needs it does", gatewright()))
            }
            Some(mend) if all_wait => missing(&name, found, mend),
            Some(mend) => warning(&name, found, mend),
            None => warning(&name, found, "it goes on by itself"),
        }
    };
    breakers.iter().map(check).collect()
}

fn agent(view: &AgentView) -> CheckView {
    let name = format!("agent {}", view.name);
    let mend = || {
        view.mend.clone().unwrap_or_else(|| format!("{} agents check {}", gatewright(), view.name))
    };
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
            format!("{} run --check \"make test\" …", gatewright()),
        ),
    }
}
