//! A graph as a picture.
//!
//! Stages stand in a column. Ways forward run on the right of it, ways back on the left, each in a lane of its own.

use domain::pipeline::AttemptState;

use super::model::{Edge, Graph, Node, Way};

const NODE_WIDTH: usize = 300;
const NODE_HEIGHT: usize = 58;
const STEP: usize = 96;
const LANE: usize = 22;
const MARGIN: usize = 24;
/// Width of one character of a label, more or less.
const CHARACTER: usize = 7;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1c2024}\
.name{font-weight:600}.small{font-size:11px;fill:#565d64}\
.node{fill:#fff;stroke:#8b929a}.done{fill:#d8f0dc;stroke:#2f7d3f}.now{fill:#fdf0c8;stroke:#9a7200}.bad{fill:#f8d9d6;stroke:#a3271d}\
path{fill:none;stroke:#565d64;stroke-width:1.4}.fail{stroke:#a3271d;stroke-dasharray:5 4}.fail-label{font-size:11px;fill:#a3271d}";

pub(super) fn draw(graph: &Graph) -> String {
    let back: Vec<&Edge> = graph.edges.iter().filter(|it| it.way == Way::Fail).collect();
    let labels = back.iter().map(|it| it.label.chars().count()).max().unwrap_or(0) * CHARACTER;
    let left = MARGIN + labels + (back.len() + 1) * LANE;
    let skips = graph.edges.iter().filter(|it| is_skip(it)).count();
    let width = left + NODE_WIDTH + (skips + 1) * LANE + MARGIN;
    let height = graph.nodes.len() * STEP + MARGIN;
    let mut parts = vec![
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">"),
        format!("<style>{STYLE}</style>"),
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" style=\"fill:#565d64;stroke:none\"/></marker></defs>".to_owned(),
    ];
    parts.extend(graph.nodes.iter().enumerate().map(|(place, it)| node(it, left, top(place))));
    let mut lane = 0;
    for edge in &graph.edges {
        if edge.way == Way::Pass && !is_skip(edge) {
            let x = left + NODE_WIDTH / 2;
            parts.push(format!(
                "<path d=\"M{x} {}V{}\" marker-end=\"url(#arrow)\"/>",
                top(edge.from) + NODE_HEIGHT,
                top(edge.to)
            ));
        }
    }
    for edge in graph.edges.iter().filter(|it| is_skip(it)) {
        lane += 1;
        let (right, x) = (left + NODE_WIDTH, left + NODE_WIDTH + lane * LANE);
        parts.push(format!(
            "<path d=\"M{right} {}H{x}V{}H{right}\" marker-end=\"url(#arrow)\"/>",
            middle(edge.from) + 8,
            middle(edge.to) - 8
        ));
    }
    for (lane, edge) in back.iter().enumerate() {
        let x = left - (lane + 1) * LANE;
        // Leaves below the middle and arrives above it, so that a way back to the same stage is seen as well.
        let (from, to) = (middle(edge.from) + 12, middle(edge.to) - 12);
        parts.push(format!(
            "<path class=\"fail\" d=\"M{left} {from}H{x}V{to}H{left}\" marker-end=\"url(#arrow)\"/>"
        ));
        parts.push(format!(
            "<text class=\"fail-label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            x - 5,
            from - 3,
            escape(&edge.label)
        ));
    }
    parts.push("</svg>".to_owned());
    parts.join("\n")
}

/// A way forward that the next stage in the column is not the end of.
const fn is_skip(edge: &Edge) -> bool {
    matches!(edge.way, Way::Pass) && edge.to != edge.from + 1
}

const fn top(place: usize) -> usize {
    MARGIN + place * STEP
}

const fn middle(place: usize) -> usize {
    top(place) + NODE_HEIGHT / 2
}

fn node(node: &Node, x: usize, y: usize) -> String {
    let class = match node.last {
        Some((AttemptState::Passed, _)) => "node done",
        Some((AttemptState::Failed | AttemptState::SentBack, _)) => "node bad",
        Some((AttemptState::Skipped, _)) | None => "node",
        Some(_) => "node now",
    };
    let state = node.state().map(|state| format!(" · {state}")).unwrap_or_default();
    let gates = if node.gates.is_empty() {
        String::new()
    } else {
        format!("gates: {}", node.gates.join(", "))
    };
    let text = |class: &str, dy: usize, words: &str| {
        format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            x + 12,
            y + dy,
            escape(words)
        )
    };
    [
        format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{NODE_WIDTH}\" height=\"{NODE_HEIGHT}\" rx=\"8\"/>"),
        text("name", 19, &format!("{}{state}", node.name)),
        text("small", 35, &node.work),
        text("small", 50, &gates),
    ]
    .concat()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
