//! Questions to people.

use domain::{
    decision::{Choice, Decision, DecisionKind, DecisionState, DecisionStateTag},
    id::{DecisionId, PipelineId},
    item::ItemKey,
    revision::CommitSha,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::FindingView;

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnswerView {
    /// What was chosen.
    pub choice: Choice,
    /// In their words.
    pub comment: String,
    /// Who it was.
    pub by: String,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionView {
    /// Its id.
    pub id: DecisionId,
    /// The pipeline that waits for it.
    pub pipeline: PipelineId,
    /// The key of that pipeline's item, where it can be read: `ET-001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What it is about.
    pub kind: DecisionKind,
    /// `open`, `resolved` or `withdrawn`.
    pub state: String,
    /// The question.
    pub question: String,
    /// What led to it.
    pub findings: Vec<FindingView>,
    /// Files of `commit` that help to decide.
    pub show: Vec<String>,
    /// The commit that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitSha>,
    /// What can be chosen.
    pub options: Vec<Choice>,
    /// When it was asked.
    pub opened_at: Timestamp,
    /// When it was answered or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
}

impl DecisionView {
    /// The view of a question, and the item that it is about where that can be read.
    #[must_use]
    pub fn new(decision: &Decision, item: Option<&ItemKey>) -> Self {
        let Decision {
            id,
            pipeline,
            kind,
            question,
            findings,
            show,
            commit,
            options,
            opened_at,
            state,
        } = decision;
        let (closed_at, answer) = match state {
            DecisionState::Open => (None, None),
            DecisionState::Resolved { choice, comment, by, at } => {
                let (comment, by) = (comment.clone(), by.clone());
                (Some(*at), Some(AnswerView { choice: *choice, comment, by }))
            }
            DecisionState::Withdrawn { at } => (Some(*at), None),
        };
        Self {
            id: *id,
            pipeline: *pipeline,
            item: item.map(ToString::to_string),
            kind: *kind,
            state: DecisionStateTag::from(state).to_string(),
            question: question.clone(),
            findings: findings.iter().map(FindingView::from).collect(),
            show: show.clone(),
            commit: commit.clone(),
            options: options.clone(),
            opened_at: *opened_at,
            closed_at,
            answer,
        }
    }
}
