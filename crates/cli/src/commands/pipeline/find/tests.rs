//! What a person may type for a pipeline.

use domain::{
    decision::{Choice, Decision, DecisionKind, DecisionState},
    definition::DefinitionHash,
    id::{DecisionId, PipelineId},
    name::{DefinitionName, ProjectKey},
    pipeline::{Delivery, NewPipeline, Pipeline, PipelineOptions},
    revision::BranchName,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{choose, only_one};
use crate::exit::ExitStatus;

fn pipeline(id: &str, project: &str, number: u32) -> Pipeline {
    let new = NewPipeline {
        id: PipelineId::from_uuid(Uuid::parse_str(id).unwrap()),
        project: ProjectKey::new(project).unwrap(),
        number_above: 0,
        title: "Add a flag".to_owned(),
        ascii_title: "Add a flag".to_owned(),
        description: String::new(),
        definition_name: DefinitionName::new("solo").unwrap(),
        definition: DefinitionHash("00".to_owned()),
        options: PipelineOptions { delivery: Delivery::Branch, human_gates: true, agent: None },
        target: BranchName::new("main").unwrap(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    new.numbered(number).unwrap()
}

fn some() -> Vec<Pipeline> {
    vec![
        pipeline("01a1fd2c-2f36-7b7e-9fe3-06467211f96f", "ET", 1),
        pipeline("01a1fd2c-9999-7b7e-9fe3-06467211f96f", "ET", 2),
        pipeline("01b00000-0000-7b7e-9fe3-06467211f96f", "ET", 12),
    ]
}

fn found(text: &str) -> Result<u32, ExitStatus> {
    let all = some();
    choose(text, &all).map(|it| it.item.key.number).map_err(|error| error.status)
}

#[test]
fn a_pipeline_is_found_by_the_beginning_of_its_id_with_or_without_prefix() {
    assert_eq!(found("pl_01b"), Ok(12));
    assert_eq!(found("01a1fd2c9"), Ok(2));
}

#[test]
fn a_pipeline_is_found_by_its_items_key_in_any_case() {
    assert_eq!(found("ET-001"), Ok(1));
    assert_eq!(found("et-012"), Ok(12));
    assert_eq!(found("ET-01"), Err(ExitStatus::Failure));
}

#[test]
fn what_could_mean_several_is_refused_and_they_are_named() {
    let all = some();
    let error = choose("pl_01a1fd2c", &all).unwrap_err();
    assert_eq!(error.status, ExitStatus::Usage);
    let help = error.help.unwrap();
    assert!(
        help.contains("ET-001") && help.contains("ET-002") && !help.contains("ET-012"),
        "{help}"
    );
}

#[test]
fn a_bare_prefix_means_nothing() {
    for text in ["pl_", "pl", "run_01b", "pl_zz"] {
        assert_eq!(found(text), Err(ExitStatus::Failure), "{text:?}");
    }
}

#[test]
fn whoever_names_nothing_is_told_what_to_name() {
    for text in ["", " "] {
        assert_eq!(found(text), Err(ExitStatus::Usage), "{text:?}");
        let message = choose(text, &some()).unwrap_err().message;
        assert!(message.contains("an id") && !message.contains('`'), "{message}");
    }
}

fn question(n: u128, state: DecisionState) -> Decision {
    Decision {
        id: DecisionId::from_u128(n),
        pipeline: some()[0].id,
        kind: DecisionKind::Approval,
        question: "Go on?".to_owned(),
        findings: Vec::new(),
        show: Vec::new(),
        commit: None,
        options: vec![Choice::Approve, Choice::Reject],
        opened_at: Timestamp::UNIX_EPOCH,
        state,
    }
}

#[test]
fn an_item_stands_for_its_question_only_where_it_has_exactly_one_open() {
    let all = some();
    let closed = || question(1, DecisionState::Withdrawn { at: Timestamp::UNIX_EPOCH });
    let open = |n| question(n, DecisionState::Open);
    assert_eq!(only_one(&all[0], vec![closed(), open(2)]).unwrap().id, DecisionId::from_u128(2));
    assert_eq!(only_one(&all[0], vec![closed()]).unwrap_err().status, ExitStatus::Failure);
    assert_eq!(only_one(&all[0], vec![open(2), open(3)]).unwrap_err().status, ExitStatus::Usage);
}
