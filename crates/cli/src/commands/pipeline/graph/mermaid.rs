//! A graph as a Mermaid flowchart.

use domain::pipeline::AttemptState;

use super::model::{Graph, Way};

pub(super) fn draw(graph: &Graph) -> String {
    let mut lines = vec!["flowchart TD".to_owned()];
    for (place, node) in graph.nodes.iter().enumerate() {
        let state = node.state().map(|state| format!("<br/>{state}")).unwrap_or_default();
        let work = if node.work.is_empty() { String::new() } else { format!("<br/>{}", node.work) };
        // Names are letters, digits, dashes, dots: nothing that a quoted label would have to escape.
        lines.push(format!(
            "    s{place}[\"<b>{}</b>{work}{state}\"]{}",
            node.name,
            class(node.last)
        ));
    }
    for edge in &graph.edges {
        let (from, to) = (edge.from, edge.to);
        lines.push(match edge.way {
            Way::Pass => format!("    s{from} --> s{to}"),
            Way::Fail => format!("    s{from} -. \"{}\" .-> s{to}", edge.label),
        });
    }
    lines.push("    classDef done fill:#d8f0dc,stroke:#2f7d3f,color:#10341a".to_owned());
    lines.push("    classDef now fill:#fdf0c8,stroke:#9a7200,color:#3d2d00".to_owned());
    lines.push("    classDef bad fill:#f8d9d6,stroke:#a3271d,color:#4a0f0a".to_owned());
    lines.join("\n")
}

const fn class(last: Option<(AttemptState, u32)>) -> &'static str {
    match last {
        Some((AttemptState::Passed, _)) => ":::done",
        Some((
            AttemptState::Pending
            | AttemptState::Running
            | AttemptState::Gating
            | AttemptState::AwaitingHuman,
            _,
        )) => ":::now",
        Some((AttemptState::Failed | AttemptState::SentBack, _)) => ":::bad",
        Some((AttemptState::Skipped, _)) | None => "",
    }
}
