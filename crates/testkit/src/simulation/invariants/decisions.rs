//! An answer is final.

use domain::decision::DecisionStateTag;

use super::{Broken, Watch, broken};
use crate::store_model::Model;

impl Watch {
    pub(super) fn decisions_are_final(&self, model: &Model) -> Result<(), Broken> {
        let mut seen = self.seen();
        for decision in model.decisions.values() {
            if DecisionStateTag::from(&decision.state) == DecisionStateTag::Open {
                continue;
            }
            let first = seen.settled.entry(decision.id).or_insert_with(|| decision.state.clone());
            if *first != decision.state {
                let what = format!("{}: {first:?} became {:?}", decision.id, decision.state);
                return broken("an answer is final", what);
            }
        }
        Ok(())
    }
}
