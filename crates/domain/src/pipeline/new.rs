//! Making a pipeline.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Pipeline, PipelineOptions, PipelineState};
use crate::{
    definition::DefinitionHash,
    id::PipelineId,
    item::{Item, ItemError, ItemKey},
    name::{DefinitionName, ProjectKey},
    revision::BranchName,
    usage::Usage,
};

/// A pipeline to be made. Its item has no number yet: the store gives it the next free one of the
/// project, in the transaction that writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPipeline {
    /// Its id.
    pub id: PipelineId,
    /// The project.
    pub project: ProjectKey,
    /// The item's number is higher than this: branches of that number exist already.
    pub number_above: u32,
    /// The item's title.
    pub title: String,
    /// The title transliterated to ASCII, for the branch name.
    pub ascii_title: String,
    /// The item's description.
    pub description: String,
    /// The definition's name.
    pub definition_name: DefinitionName,
    /// The definition, which has been saved before.
    pub definition: DefinitionHash,
    /// What is settled now.
    pub options: PipelineOptions,
    /// The branch that the work is for.
    pub target: BranchName,
    /// Now.
    pub created_at: Timestamp,
}

impl NewPipeline {
    /// The pipeline, `queued`, with this number for its item.
    pub fn numbered(&self, number: u32) -> Result<Pipeline, ItemError> {
        let Self {
            id,
            project,
            number_above: _,
            title,
            ascii_title,
            description,
            definition_name,
            definition,
            options,
            target,
            created_at,
        } = self;
        let item = Item::new(ItemKey { project: project.clone(), number }, title, description)?;
        Ok(Pipeline {
            id: *id,
            project: project.clone(),
            branch: item.branch(ascii_title),
            item,
            definition_name: definition_name.clone(),
            definition: definition.clone(),
            options: options.clone(),
            target: target.clone(),
            created_at: *created_at,
            version: 0,
            epoch: 0,
            base: None,
            head: None,
            attempts: BTreeMap::new(),
            seen: BTreeMap::new(),
            routes: BTreeMap::new(),
            limit_grants: 0,
            usage: Usage::default(),
            state: PipelineState::Queued,
        })
    }
}
