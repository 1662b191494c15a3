//! Makes up a plan from a seed.

use super::{
    dice::Dice,
    places::CALLS,
    plan::{
        Act, Ask, AskOfLetter, Conduct, GateKind, Lack, Plan, Refusal, Reply, Saying, Shape,
        Trouble, Welcome,
    },
};

/// Mixed into a history's seed, so that its plan and its schedule do not rhyme.
const PLANNING: u64 = 0x706c_616e;

/// What is called between the last gate of a merge and its end: who dies there leaves a doubt.
const LANDING: &[&str] = &["git.land", "git.land", "git.sync", "store.apply", "git.publish"];

impl Plan {
    /// The plan of a seed, for so many orchestrators on one store.
    #[must_use]
    pub fn of_seed(seed: u64, nodes: u8) -> Self {
        let mut dice = Dice::of(seed ^ PLANNING);
        let dice = &mut dice;
        let projects = if dice.percent(30) { 2 } else { 1 };
        let mut acts = Vec::new();
        for _ in 0..dice.below(6) {
            acts.push(preparation(dice));
        }
        let pipelines = 1 + dice.below_byte(3);
        for _ in 0..pipelines {
            acts.push(create(dice, projects));
            if dice.percent(30) {
                acts.push(Act::Calls(dice.below(80)));
            }
        }
        for _ in 0..4 + dice.below(22) {
            if dice.percent(8) {
                acts.extend(trouble(dice, nodes, pipelines));
            } else {
                acts.push(happening(dice, nodes, projects, pipelines));
            }
            if dice.percent(60) {
                acts.push(passing(dice));
            }
        }
        Self {
            seed,
            nodes,
            projects,
            cap: dice.pick(&[1, 2, 4, 4]),
            project_cap: dice.percent(20).then(|| 1 + dice.below_byte(2)),
            agent_cap: dice.percent(20).then(|| 1 + dice.below_byte(2)),
            returns: nodes == 1 && dice.percent(25),
            destinations: dice.pick(&[0, 1, 1, 2]),
            people_answer: dice.percent(75),
            acts,
        }
    }
}

fn create(dice: &mut Dice, projects: u8) -> Act {
    Act::Create {
        project: dice.below_byte(projects),
        shape: dice.pick(&[
            Shape::Ship,
            Shape::Ship,
            Shape::Ask,
            Shape::Waves,
            Shape::Strict,
            Shape::Twice,
        ]),
        start: dice.percent(90),
        human_gates: dice.percent(80),
        merge: dice.percent(50),
    }
}

/// What agents and gates are going to do.
fn preparation(dice: &mut Dice) -> Act {
    if dice.percent(65) { Act::Agent(conduct(dice)) } else { gate(dice) }
}

fn conduct(dice: &mut Dice) -> Conduct {
    let seconds = dice.pick(&[0, 1, 5, 20, 45, 90]);
    let tokens = dice.pick(&[0, 5, 10, 40]);
    let class = dice.pick(&[
        Trouble::Transient,
        Trouble::Transient,
        Trouble::Permanent,
        Trouble::Resource,
        Trouble::Credentials,
    ]);
    match dice.below(22) {
        0..=6 => Conduct::Works { seconds, tokens },
        7 | 8 => Conduct::Meddles { seconds },
        9 => Conduct::Idles,
        10 => Conduct::Trespasses,
        11..=14 => Conduct::Fails { class, seconds, tokens },
        15 => Conduct::Stalls,
        16 => Conduct::Digs { seconds: seconds * 3 },
        17 => Conduct::Defies { seconds },
        18 | 19 => Conduct::Exhausts { seconds, opens_in: dice.pick(&[1, 100, 400]) },
        _ => Conduct::Vanishes { seconds },
    }
}

fn gate(dice: &mut Dice) -> Act {
    let says = dice.pick(&[
        Saying::Fails,
        Saying::Fails,
        Saying::Fails,
        Saying::Errs,
        Saying::Breaks,
        Saying::Asks,
        Saying::Mistakes,
    ]);
    Act::Gate { gate: dice.pick(&[GateKind::Tests, GateKind::Tests, GateKind::Mergeable]), says }
}

fn passing(dice: &mut Dice) -> Act {
    if dice.percent(70) {
        Act::Calls(1 + dice.below(60))
    } else {
        Act::Wait { seconds: dice.pick(&[1, 5, 11, 31, 61, 300]) }
    }
}

fn happening(dice: &mut Dice, nodes: u8, projects: u8, pipelines: u8) -> Act {
    let node = dice.below_byte(nodes);
    let project = dice.below_byte(projects);
    let seconds = dice.pick(&[0, 1, 5, 31, 120]);
    match dice.below(126) {
        0..=19 => preparation(dice),
        20..=54 => Act::Person { pipeline: dice.below_byte(pipelines), asks: ask(dice) },
        55..=72 => Act::Crash { node, after: 1 + dice.below(120), seconds },
        73..=76 => Act::Stop { node, leaves_agents: dice.percent(50), seconds },
        77..=79 => Act::Suspend { node, seconds: dice.pick(&[5, 25, 35, 100]) },
        80..=83 => Act::Refuse {
            node,
            calls: 1 + dice.below_byte(20),
            because: dice.pick(&[Refusal::DiskFull, Refusal::Overloaded, Refusal::Broken]),
        },
        84..=87 => {
            Act::Delay { node, calls: 1 + dice.below_byte(12), seconds: dice.pick(&[1, 4, 35]) }
        }
        88..=91 => Act::Commit { project, conflicts: dice.percent(30) },
        92 | 93 => Act::Repository { project, there: dice.percent(40) },
        94 => Act::Jump { seconds: dice.pick(&[20, 40, 700]) },
        95 | 96 => create(dice, projects),
        97..=99 => Act::Again { back: dice.below(30) },
        100..=106 => destination(dice),
        107..=110 => Act::Letter {
            back: dice.below_byte(8),
            asks: dice.pick(&[AskOfLetter::Retry, AskOfLetter::Retry, AskOfLetter::Drop]),
        },
        111..=114 => Act::Machine {
            lacks: dice.pick(&[
                Lack::Nothing,
                Lack::Nothing,
                Lack::Agent,
                Lack::Sandbox,
                Lack::Disk,
                Lack::Memory,
            ]),
        },
        115 => Act::LogIn,
        116 | 117 => Act::Push { pipeline: dice.below_byte(pipelines) },
        _ => Act::CrashAt {
            node,
            call: dice.pick(CALLS).to_owned(),
            after: dice.percent(50),
            times: dice.pick(&[1, 1, 1, 5]),
            seconds,
        },
    }
}

fn destination(dice: &mut Dice) -> Act {
    let does = dice.pick(&[
        Welcome::LosesTheAnswer,
        Welcome::Fails,
        Welcome::IsBusy,
        Welcome::Refuses,
        Welcome::Hangs,
    ]);
    Act::Destination { destination: dice.below_byte(2), does, tries: dice.pick(&[1, 1, 2, 20]) }
}

fn ask(dice: &mut Dice) -> Ask {
    match dice.below(100) {
        0..=5 => Ask::Start,
        6..=39 => Ask::Answer(dice.pick(&[
            Reply::GoOn,
            Reply::GoOn,
            Reply::GoOn,
            Reply::Reject,
            Reply::Waive,
            Reply::Cancel,
            Reply::Approve,
        ])),
        40..=44 => Ask::AnswerAgain,
        45 | 46 => Ask::ApproveUnseen,
        47..=58 => Ask::Pause,
        59..=74 => Ask::Resume,
        75..=80 => Ask::Cancel,
        81..=88 => Ask::Retry,
        _ => Ask::Restart { stage: dice.below_byte(3) },
    }
}

/// Something that people have to settle, and what they then do about it: the right thing, another one, or several.
fn trouble(dice: &mut Dice, nodes: u8, pipelines: u8) -> Vec<Act> {
    let calls = if dice.percent(60) { LANDING } else { CALLS };
    let mut acts = match dice.below(10) {
        0..=5 => vec![Act::CrashAt {
            node: dice.below_byte(nodes),
            call: dice.pick(calls).to_owned(),
            after: dice.percent(60),
            times: dice.pick(&[1, 3, 5, 5]),
            seconds: dice.pick(&[0, 1, 5]),
        }],
        6 | 7 => vec![gate(dice); 3],
        _ => vec![Act::Agent(conduct(dice)); 3],
    };
    acts.push(Act::Wait { seconds: dice.pick(&[11, 31, 61, 300]) });
    let pipeline = dice.below_byte(pipelines);
    for _ in 0..=dice.below(4) {
        let asks = dice.pick(&[
            Ask::Retry,
            Ask::Retry,
            Ask::Restart { stage: 0 },
            Ask::Restart { stage: 1 },
            Ask::Cancel,
            Ask::Pause,
            Ask::Resume,
            Ask::Answer(Reply::GoOn),
            Ask::Answer(Reply::Waive),
            Ask::Answer(Reply::Cancel),
        ]);
        acts.push(Act::Person { pipeline, asks });
        if dice.percent(70) {
            acts.push(passing(dice));
        }
    }
    acts
}
