//! A definition with one stage of each sort, and a pipeline on it.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::{
    definition::{
        Action, Check, Definition, DefinitionHash, Gate, Mode, Network, PipelineLimits, Push,
        Route, Stage, Then, WaveFailure, WorkspaceAccess,
    },
    failure::{Failure, FailureClass},
    id::{DecisionId, PipelineId, RunId},
    job::{Slot, Work},
    name::{DefinitionName, GateName, ProjectKey, RoleName, StageName},
    path_rules::PathRules,
    pipeline::{
        AgentReport, Context, Decided, Delivery, Effect, Input, MergeReport, NewPipeline, Pipeline,
        PipelineOptions, Refusal, Report, decide,
    },
    revision::{BranchName, CommitSha, TreeSha},
    usage::Usage,
    verdict::{Finding, Verdict, VerdictOutcome},
};

pub(super) fn stage_name(name: &str) -> StageName {
    StageName::new(name).expect("a name")
}

pub(super) fn role(name: &str) -> RoleName {
    RoleName::new(name).expect("a name")
}

pub(super) fn sha(n: u32) -> CommitSha {
    CommitSha::new(format!("{n:040x}")).expect("an object id")
}

fn gate(name: &str, check: Check) -> Gate {
    Gate { name: GateName::new(name).expect("a name"), check, on_fail: None }
}

fn command(name: &str) -> Gate {
    gate(
        name,
        Check::Command {
            run: "true".to_owned(),
            time_limit: Duration::from_mins(1),
            keep: Vec::new(),
        },
    )
}

fn stage(name: &str, waves: &[&[&str]], gates: Vec<Gate>) -> Stage {
    Stage {
        name: stage_name(name),
        mode: Mode::Waves,
        waves: waves.iter().map(|wave| wave.iter().map(|it| role(it)).collect()).collect(),
        on_role_failure: WaveFailure::FailFast,
        action: None,
        workspace: WorkspaceAccess::Write,
        network: Network::None,
        push: Push::OwnBranch,
        paths: PathRules::default(),
        role_paths: BTreeMap::new(),
        may_change_nothing: false,
        time_limit: None,
        stall_limit: None,
        gates,
        on_pass: None,
        on_fail: None,
    }
}

/// plan (two waves, questions, approval) -> build (tests; itself, twice, then fail) -> ship (merge, mergeable -> build).
pub(super) fn definition() -> Definition {
    let questions = Check::Questions { path: "q.md".to_owned() };
    let approval = Check::Approval {
        question: "Go on with {item}?".to_owned(),
        show: vec!["docs/{item}.md".to_owned()],
    };
    let plan = stage(
        "plan",
        &[&["architect"], &["planner", "risks"]],
        vec![gate("questions", questions), gate("approval", approval)],
    );
    let build = stage("build", &[&["developer"]], vec![command("tests")]);
    let ship =
        Stage { action: Some(Action::Merge), ..stage("ship", &[], vec![command("mergeable")]) };
    let once_more = Route { to: stage_name("build"), max: 2, then: Then::Fail };
    let mend = Route { to: stage_name("build"), max: 1, then: Then::Escalate };
    Definition {
        name: DefinitionName::new("sample").expect("a name"),
        description: String::new(),
        start: plan.name.clone(),
        limits: PipelineLimits {
            wall_time: Some(Duration::from_hours(1)),
            tokens: Some(1000),
            cost_usd: None,
        },
        stages: vec![
            Stage { on_pass: Some(build.name.clone()), ..plan },
            Stage { on_pass: Some(ship.name.clone()), on_fail: Some(once_more), ..build },
            Stage { on_fail: Some(mend), ..ship },
        ],
    }
}

pub(super) fn queued() -> Pipeline {
    let new = NewPipeline {
        id: PipelineId::from_u128(1),
        project: ProjectKey::new("ET").expect("a name"),
        number_above: 0,
        title: "Add a flag".to_owned(),
        ascii_title: "Add a flag".to_owned(),
        description: String::new(),
        definition_name: DefinitionName::new("sample").expect("a name"),
        definition: DefinitionHash("00".to_owned()),
        options: PipelineOptions { delivery: Delivery::Merge, human_gates: true, agent: None },
        target: BranchName::new("main").expect("a branch"),
        created_at: Timestamp::UNIX_EPOCH,
    };
    new.numbered(1).expect("an item")
}

pub(super) fn verdict(
    pipeline: &Pipeline,
    slot: &Slot,
    commit: &CommitSha,
    outcome: VerdictOutcome,
) -> Verdict {
    let Work::Gate { gate } = &slot.work else { panic!("{slot} asks no gate of {}", pipeline.id) };
    Verdict {
        gate: gate.clone(),
        commit: commit.clone(),
        tree: TreeSha::new("0".repeat(40)).expect("an object id"),
        outcome,
        findings: Vec::new(),
        summary: format!("it said {outcome}"),
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        evidence: None,
    }
}

/// Drives a pipeline as the engine would: remembers which jobs are live and which question is open.
pub(super) struct Driver {
    pub(super) definition: Definition,
    pub(super) pipeline: Pipeline,
    /// Jobs that a worker may report about, with their commits.
    pub(super) live: Vec<(Slot, Option<CommitSha>)>,
    /// The question that a person may answer.
    pub(super) open: Option<DecisionId>,
    /// A timer is armed.
    pub(super) armed: bool,
    /// This pipeline may hold the merge lease.
    pub(super) holds_lease: bool,
    steps: u32,
}

impl Driver {
    pub(super) fn new() -> Self {
        Self {
            definition: definition(),
            pipeline: queued(),
            live: Vec::new(),
            open: None,
            armed: false,
            holds_lease: false,
            steps: 0,
        }
    }

    /// Another history that begins where this one is.
    pub(super) fn fork(&self) -> Self {
        Self {
            definition: self.definition.clone(),
            pipeline: self.pipeline.clone(),
            live: self.live.clone(),
            ..*self
        }
    }

    pub(super) fn started() -> Self {
        let mut driver = Self::new();
        driver.give(&Input::Start).expect("a queued pipeline starts");
        driver
    }

    pub(super) fn give(&mut self, input: &Input) -> Result<Decided, Refusal> {
        self.steps += 1;
        let context = Context {
            now: Timestamp::from_second(i64::from(self.steps)).expect("a time"),
            decision: DecisionId::from_u128(u128::from(self.steps)),
            by: "ann".to_owned(),
        };
        let decided = decide(&self.pipeline, &self.definition, input, &context)?;
        if let Input::JobDone { slot, .. } | Input::JobFailed { slot, .. } = input {
            self.live.retain(|(it, _)| it != slot);
        }
        for effect in &decided.effects {
            match effect {
                Effect::Enqueue(job) => {
                    self.holds_lease |= job.exclusive;
                    self.live.push((job.slot.clone(), job.commit.clone()));
                }
                Effect::CancelJobs => self.live.retain(|(slot, _)| {
                    slot.work == Work::Cleanup || slot.epoch >= decided.pipeline.epoch
                }),
                Effect::OpenDecision(decision) => self.open = Some(decision.id),
                Effect::ResolveDecision { .. } | Effect::WithdrawDecision { .. } => {
                    self.open = None;
                }
                Effect::ArmTimer { .. } => self.armed = true,
                Effect::DisarmTimers => self.armed = false,
                Effect::ReleaseMergeLease => self.holds_lease = false,
                Effect::StoreVerdict(_) => {}
            }
        }
        self.pipeline = decided.pipeline.clone();
        Ok(decided)
    }

    /// The report of a job that went well.
    pub(super) fn success(&self, slot: &Slot, commit: Option<&CommitSha>) -> Report {
        let next = sha(1000 + self.steps);
        match &slot.work {
            Work::Open => Report::Opened { base: sha(1) },
            Work::Intake => Report::IntakeAccepted { head: next },
            Work::Agent { .. } => Report::Agent {
                run: RunId::from_u128(u128::from(self.steps)),
                usage: Usage { input_tokens: 10, ..Usage::default() },
                report: AgentReport::HandedIn { head: next, changed_paths: 1 },
            },
            Work::Join => Report::Joined { head: next },
            Work::Gate { .. } => Report::Gate {
                verdict: verdict(
                    &self.pipeline,
                    slot,
                    commit.expect("a gate has a commit"),
                    VerdictOutcome::Pass,
                ),
            },
            Work::Integrate => Report::Merge(MergeReport::Integrated {
                candidate: crate::pipeline::Candidate {
                    commit: next.clone(),
                    tree: TreeSha::new("0".repeat(40)).expect("an object id"),
                    head: next,
                    target: sha(1),
                    round: 0,
                },
            }),
            Work::Land => Report::Merge(MergeReport::Landed),
            Work::Publish => Report::Published { head: next },
            Work::Cleanup => Report::CleanedUp,
        }
    }

    /// Reports success of the oldest live job.
    pub(super) fn succeed_one(&mut self) -> Decided {
        let (slot, commit) = self.live.first().cloned().expect("a live job");
        let report = self.success(&slot, commit.as_ref());
        self.give(&Input::JobDone { slot, report }).expect("a live job may report")
    }

    /// Reports success until nothing is live or `until` says stop.
    pub(super) fn succeed_until(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) && !self.live.is_empty() {
            self.succeed_one();
        }
    }

    /// The live job whose work is shown as `work`.
    pub(super) fn job(&self, work: &str) -> (Slot, Option<CommitSha>) {
        let found = self.live.iter().find(|(slot, _)| slot.work.to_string() == work);
        found.cloned().unwrap_or_else(|| panic!("no live job `{work}` among {:?}", self.live))
    }

    pub(super) fn refuse_hand_in(&mut self, work: &str) -> Decided {
        let (slot, _) = self.job(work);
        let report = AgentReport::Refused { findings: vec![Finding::blocking("wrote to /etc")] };
        self.give(&Input::JobDone {
            slot,
            report: Report::Agent { run: RunId::from_u128(1), usage: Usage::default(), report },
        })
        .expect("a live job may report")
    }

    /// The job is given up: its budgets are spent.
    pub(super) fn give_up(&mut self, work: &str) -> Decided {
        let (slot, _) = self.job(work);
        let failure = Failure::new(FailureClass::Lost, "its worker is gone");
        self.give(&Input::JobFailed { slot, failure, usage: Usage::default() })
            .expect("a live job may fail")
    }

    pub(super) fn fail_gate(&mut self, work: &str) -> Decided {
        let (slot, commit) = self.job(work);
        let mut verdict = verdict(
            &self.pipeline,
            &slot,
            commit.as_ref().expect("a gate has a commit"),
            VerdictOutcome::Fail,
        );
        verdict.findings.push(Finding::blocking("2 tests failed"));
        self.give(&Input::JobDone { slot, report: Report::Gate { verdict } })
            .expect("a live job may report")
    }

    pub(super) fn resolve(
        &mut self,
        choice: crate::decision::Choice,
        comment: &str,
    ) -> Result<Decided, Refusal> {
        let decision = self.open.expect("an open question");
        self.give(&Input::Resolve { decision, choice, comment: comment.to_owned() })
    }
}
