//! What is drawn: stages, and the ways between them.

use api::StageView;
use domain::{
    definition::{Action, Definition, Route, Stage},
    name::StageName,
    pipeline::AttemptState,
};

/// A stage.
pub(super) struct Node {
    pub(super) name: StageName,
    /// Who works in it, or what it does itself.
    pub(super) work: String,
    /// Its gates.
    pub(super) gates: Vec<String>,
    /// How its last attempt is, and which one that is; none while nothing was tried.
    pub(super) last: Option<(AttemptState, u32)>,
}

/// Which way an edge is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Pass,
    Fail,
}

/// A way from a stage, by its place, to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) way: Way,
    /// Which gate leads there and how often; empty where everything passes.
    pub(super) label: String,
}

/// Stages in reading order, and the ways between them.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

impl Graph {
    pub(super) fn new(definition: &Definition) -> Self {
        let stages = &definition.stages;
        let place = |name: &StageName| stages.iter().position(|it| it.name == *name);
        let mut edges = Vec::new();
        for (from, stage) in stages.iter().enumerate() {
            if let Some(to) = stage.on_pass.as_ref().and_then(place) {
                edges.push(Edge { from, to, way: Way::Pass, label: String::new() });
            }
            let own = stage.on_fail.as_ref().map(|route| (route, label(None, route)));
            let of_gates = stage.gates.iter().filter_map(|gate| {
                let route = gate.on_fail.as_ref()?;
                Some((route, label(Some(gate.name.as_str()), route)))
            });
            for (route, label) in own.into_iter().chain(of_gates) {
                if let Some(to) = place(&route.to) {
                    edges.push(Edge { from, to, way: Way::Fail, label });
                }
            }
        }
        Self { nodes: stages.iter().map(node).collect(), edges }
    }

    /// The same with where a pipeline is.
    pub(super) fn with_course(mut self, course: &[StageView]) -> Self {
        for node in &mut self.nodes {
            let last = course.iter().rev().find(|it| it.stage == node.name);
            node.last = last.map(|it| (it.state, it.attempt));
        }
        self
    }
}

fn label(gate: Option<&str>, route: &Route) -> String {
    let gate = gate.map(|gate| format!("{gate}: ")).unwrap_or_default();
    format!("{gate}at most {}, then {}", route.max, route.then)
}

fn node(stage: &Stage) -> Node {
    let waves: Vec<String> = stage
        .waves
        .iter()
        .map(|wave| wave.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
        .collect();
    let work = match stage.action {
        Some(Action::Intake) => "takes the item in".to_owned(),
        Some(Action::Merge) => "merges".to_owned(),
        Some(Action::Deliver) => "delivers".to_owned(),
        None => waves.join(", then "),
    };
    let gates = stage.gates.iter().map(|gate| gate.name.to_string()).collect();
    Node { name: stage.name.clone(), work, gates, last: None }
}

impl Node {
    /// How its last attempt is, in words.
    pub(super) fn state(&self) -> Option<String> {
        let (state, attempt) = self.last?;
        let words = state.to_string().replace('_', " ");
        Some(if attempt > 1 { format!("{words}, attempt {attempt}") } else { words })
    }
}

#[cfg(test)]
mod tests {
    use domain::name::DefinitionName;

    use super::*;

    fn delivery() -> Definition {
        let name = DefinitionName::new("delivery").expect("a name");
        config::definition::built_in(&name).expect("a built-in definition")
    }

    #[test]
    fn every_way_between_stages_is_drawn_with_its_limit() {
        let definition = delivery();
        let graph = Graph::new(&definition);
        for (from, stage) in definition.stages.iter().enumerate() {
            let has = |way, to: &StageName| {
                graph
                    .edges
                    .iter()
                    .any(|it| it.from == from && it.way == way && graph.nodes[it.to].name == *to)
            };
            assert!(stage.on_pass.as_ref().is_none_or(|to| has(Way::Pass, to)), "{}", stage.name);
            for route in
                stage.on_fail.iter().chain(stage.gates.iter().filter_map(|it| it.on_fail.as_ref()))
            {
                assert!(has(Way::Fail, &route.to), "{} to {}", stage.name, route.to);
            }
        }
        assert!(
            graph
                .edges
                .iter()
                .filter(|it| it.way == Way::Fail)
                .all(|it| it.label.contains("at most"))
        );
    }

    #[test]
    fn every_drawing_names_every_stage() {
        let graph = Graph::new(&delivery());
        let drawings = [
            super::super::terminal::draw(&graph),
            super::super::mermaid::draw(&graph),
            super::super::svg::draw(&graph),
        ];
        for node in &graph.nodes {
            assert!(drawings.iter().all(|it| it.contains(node.name.as_str())), "{}", node.name);
        }
    }
}
