//! The definitions that pipelines of a simulation go by.

use std::time::Duration;

use domain::{
    definition::{
        Action, Definition, PipelineLimits, Route, Stage, Then, WaveFailure, WorkspaceAccess,
    },
    name::{RoleName, StageName},
};

use super::plan::Shape;
use crate::world::definitions::{approval, command, definition, stage};

/// Shorter than the longest that an agent may be silent, so that it is reached.
const WALL_TIME: Duration = Duration::from_mins(4);
/// Two agents may use it up.
const TOKENS: u64 = 50;

/// The definition of a shape.
pub(super) fn definition_of(shape: Shape) -> Definition {
    match shape {
        Shape::Ship => definition(vec![build(), ship()]),
        Shape::Ask => {
            let build = Stage { gates: vec![command("tests"), approval("approval")], ..build() };
            let limits =
                PipelineLimits { wall_time: Some(WALL_TIME), tokens: Some(TOKENS), cost_usd: None };
            Definition { limits, ..definition(vec![build, deliver()]) }
        }
        Shape::Waves => {
            let intake =
                Stage { waves: Vec::new(), action: Some(Action::Intake), ..stage("intake", &[]) };
            let design = Stage {
                workspace: WorkspaceAccess::Write,
                on_role_failure: WaveFailure::FinishWave,
                gates: vec![command("tests")],
                may_change_nothing: true,
                ..stage("design", &["architect", "critic"])
            };
            let mut build = build();
            build.waves.push(vec![RoleName::new("tester").expect("a name")]);
            let limits = PipelineLimits { wall_time: Some(WALL_TIME), ..PipelineLimits::default() };
            let mut definition = definition(vec![intake, design, build, ship()]);
            // Agents mend, not the intake.
            let mended = StageName::new("design").expect("a name");
            for stage in definition.stages.iter_mut().skip(1) {
                stage.on_fail = Some(Route::back_to(mended.clone()));
            }
            Definition { limits, ..definition }
        }
        Shape::Strict => {
            let mut definition = definition(vec![build(), deliver()]);
            let to = definition.start.clone();
            for stage in &mut definition.stages {
                stage.on_fail = Some(Route { to: to.clone(), max: 1, then: Then::Fail });
            }
            definition
        }
        Shape::Twice => {
            let [again, once_more] = ["again", "once-more"].map(|name| {
                let name = StageName::new(name).expect("a name");
                move |stage| Stage { name, ..stage }
            });
            definition(vec![build(), ship(), again(build()), once_more(ship())])
        }
    }
}

fn build() -> Stage {
    Stage { gates: vec![command("tests")], ..stage("build", &["developer"]) }
}

fn ship() -> Stage {
    Stage {
        waves: Vec::new(),
        action: Some(Action::Merge),
        gates: vec![command("mergeable")],
        ..stage("ship", &[])
    }
}

fn deliver() -> Stage {
    Stage {
        waves: Vec::new(),
        action: Some(Action::Deliver),
        gates: vec![command("mergeable")],
        ..stage("deliver", &[])
    }
}
