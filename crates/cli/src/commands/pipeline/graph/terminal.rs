//! A graph as text.

use owo_colors::Stream;

use super::model::{Edge, Graph, Node, Way};
use crate::words::{Tone, paint, tone_of_attempt};

pub(super) fn draw(graph: &Graph) -> String {
    let mut lines = Vec::new();
    for (place, node) in graph.nodes.iter().enumerate() {
        lines.push(head(node));
        if !node.gates.is_empty() {
            lines.push(format!("│   gates: {}", node.gates.join(", ")));
        }
        for edge in graph.edges.iter().filter(|it| it.from == place) {
            if let Some(line) = way(edge, place, graph) {
                lines.push(line);
            }
        }
        let leads_on = graph.edges.iter().any(|it| it.from == place && it.way == Way::Pass);
        lines.push(if leads_on { "▼".to_owned() } else { "■ end".to_owned() });
    }
    lines.join("\n")
}

fn head(node: &Node) -> String {
    let work = if node.work.is_empty() { String::new() } else { format!("  {}", node.work) };
    let state = match (node.last, node.state()) {
        (Some((state, _)), Some(words)) => {
            format!("  {}", paint(Stream::Stdout, tone_of_attempt(state), &format!("[{words}]")))
        }
        _ => String::new(),
    };
    format!("● {}{}{state}", node.name, paint(Stream::Stdout, Tone::Quiet, &work))
}

/// A way; none for the one to the next stage, which the drawing itself shows.
fn way(edge: &Edge, place: usize, graph: &Graph) -> Option<String> {
    let to = &graph.nodes[edge.to].name;
    match edge.way {
        Way::Pass if edge.to == place + 1 => None,
        Way::Pass => Some(format!("│   passed: goes to {to}")),
        Way::Fail => Some(format!("│   failed: back to {to} ({})", edge.label)),
    }
}
