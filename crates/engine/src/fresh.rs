//! New ids and random numbers, from the ports alone.

use domain::id::{DecisionId, JobId, LetterId, PipelineId, RunId};
use uuid::{Builder, Uuid};

use crate::Engine;

impl Engine {
    /// A UUID version 7 of now: sorts by creation.
    fn fresh_uuid(&self) -> Uuid {
        let random = self.ports.entropy.bytes();
        let millis = u64::try_from(self.ports.clock.now().as_millisecond()).unwrap_or_default();
        let mut ten = [0; 10];
        ten.copy_from_slice(&random[..10]);
        Builder::from_unix_timestamp_millis(millis, &ten).into_uuid()
    }

    pub(crate) fn fresh_pipeline(&self) -> PipelineId {
        PipelineId::from_uuid(self.fresh_uuid())
    }

    pub(crate) fn fresh_job(&self) -> JobId {
        JobId::from_uuid(self.fresh_uuid())
    }

    pub(crate) fn fresh_run(&self) -> RunId {
        RunId::from_uuid(self.fresh_uuid())
    }

    pub(crate) fn fresh_decision(&self) -> DecisionId {
        DecisionId::from_uuid(self.fresh_uuid())
    }

    pub(crate) fn fresh_letter(&self) -> LetterId {
        LetterId::from_uuid(self.fresh_uuid())
    }

    /// A deduplication key that no other input has.
    pub(crate) fn fresh_key(&self, what: &str) -> String {
        format!("{what}/{}", self.fresh_uuid().simple())
    }

    /// A random number in `[0, 1)`.
    pub(crate) fn jitter(&self) -> f64 {
        let bytes = self.ports.entropy.bytes();
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        f64::from(word) / (f64::from(u32::MAX) + 1.0)
    }
}
