//! What an usher says about the command that it attended to: one JSON document.

use serde::{Deserialize, Serialize};

/// Bytes of each of its outputs that are kept; the rest is let go.
pub(super) const OUTPUT_BYTES_MAX: u64 = 16 * 1024;

/// How a command ended, and what it said.
///
/// It is spoken between two versions where the program was replaced while an orchestrator is at work: fields may come, and
/// are not asked for. None may go.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) end: End,
    pub(super) stdout: Said,
    pub(super) stderr: Said,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// It never began.
    NotStarted { why: String },
    /// By itself, with this code.
    Exited { code: i32 },
    /// Somebody sent it this signal.
    Signaled { signal: i32 },
    /// It had not ended when its time was over, and was killed.
    TimeLimit,
    /// The system does not say how.
    Lost { why: String },
}

/// The first bytes of what a command wrote to one of its outputs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) text: String,
    /// Whether that is all of it.
    pub(super) is_whole: bool,
}

impl Report {
    /// About a command that has said nothing.
    pub(super) fn silent(end: End) -> Self {
        Self { end, stdout: Said::default(), stderr: Said::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_usher_may_say_more() {
        let said = r#"{"end":{"exited":{"code":0,"core":false}},"stdout":{"text":"ok","is_whole":true,"lines":1},
            "stderr":{"text":"","is_whole":true},"usage":{"cpu":1}}"#;
        let report: Report = serde_json::from_str(said).unwrap();
        assert_eq!(report.end, End::Exited { code: 0 });
        assert_eq!(report.stdout.text, "ok");
    }
}
