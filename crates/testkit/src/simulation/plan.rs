//! What happens in a history: data, so that it can be made up, cut down, kept and played again.

use serde::{Deserialize, Serialize};

/// A history before it happens. The same plan gives the same history, call by call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Chance in this history: ids, jitter, who goes first.
    pub seed: u64,
    /// How many orchestrators work on the store.
    pub nodes: u8,
    /// How many projects there are.
    pub projects: u8,
    /// Agents and gates at once, in all.
    pub cap: u8,
    /// The same, of one project.
    pub project_cap: Option<u8>,
    /// The same, of the one agent that there is.
    pub agent_cap: Option<u8>,
    /// An orchestrator ends when nothing is left to do, and is started again when somebody asks for something.
    pub returns: bool,
    /// In the end people answer what is open; otherwise it may stay open.
    pub people_answer: bool,
    /// What happens, in this order.
    pub acts: Vec<Act>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Somebody wants an item.
    Create {
        /// The project, counted from 0.
        project: u8,
        /// The way that it goes.
        shape: Shape,
        /// It is started at once.
        start: bool,
        /// Approvals are asked of people.
        human_gates: bool,
        /// Where the definition leaves it open, the work is merged.
        merge: bool,
    },
    /// The next agent that nobody gave anything to do does this.
    Agent(Conduct),
    /// A gate says this about the next commit that it is shown for the first time.
    Gate {
        /// The gate.
        gate: GateKind,
        /// What it says.
        says: Saying,
    },
    /// Somebody asks something of a pipeline.
    Person {
        /// The pipeline, counted from 0 in the order of their making.
        pipeline: u8,
        /// What.
        asks: Ask,
    },
    /// So many calls of ports pass, on either side.
    Calls(u16),
    /// Time passes.
    Wait {
        /// How much.
        seconds: u16,
    },
    /// All clocks jump forward.
    Jump {
        /// How far.
        seconds: u16,
    },
    /// A node dies at the so-many-th call from now, on either side of it, and starts again.
    Crash {
        /// The node.
        node: u8,
        /// Calls that still pass.
        after: u16,
        /// How long it is gone.
        seconds: u16,
    },
    /// A node is told to stop in good order, and starts again.
    Stop {
        /// The node.
        node: u8,
        /// Agents go on without it.
        leaves_agents: bool,
        /// How long it is gone.
        seconds: u16,
    },
    /// A node stands still, longer than a lease maybe, and does not know.
    Suspend {
        /// The node.
        node: u8,
        /// How long.
        seconds: u16,
    },
    /// The store refuses the next calls of a node.
    Refuse {
        /// The node.
        node: u8,
        /// How many.
        calls: u8,
        /// Why.
        because: Refusal,
    },
    /// The next calls of a node take their time.
    Delay {
        /// The node.
        node: u8,
        /// How many.
        calls: u8,
        /// How long each, on either side.
        seconds: u8,
    },
    /// Somebody else commits to the target.
    Commit {
        /// The project.
        project: u8,
        /// To a file that agents write as well.
        conflicts: bool,
    },
    /// The people's repository is gone, or there again.
    Repository {
        /// The project.
        project: u8,
        /// Whether it is there.
        there: bool,
    },
    /// An input that was brought before is brought again.
    Again {
        /// Which, counted from the newest.
        back: u16,
    },
}

/// A definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A developer and tests, then a merge.
    Ship,
    /// A developer, tests and an approval, then a delivery. With a wall time and a limit of tokens.
    Ask,
    /// Intake, then waves of several roles side by side, then a merge.
    Waves,
    /// One gate that may fail once, then the pipeline has failed.
    Strict,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Conduct {
    /// Works and ends well.
    Works {
        /// How long it takes.
        seconds: u16,
        /// What it uses.
        tokens: u16,
    },
    /// Changes a file that others change as well.
    Meddles {
        /// How long it takes.
        seconds: u16,
    },
    /// Ends well and has changed nothing.
    Idles,
    /// Writes where it may not.
    Trespasses,
    /// Ends with a failure.
    Fails {
        /// Which.
        class: Trouble,
        /// After how long.
        seconds: u16,
        /// What it used.
        tokens: u16,
    },
    /// Says something and then nothing any more.
    Stalls,
    /// Is silent in a long call of a tool.
    Digs {
        /// How long it takes.
        seconds: u16,
    },
    /// Does not end when it is asked to.
    Defies {
        /// How long it works.
        seconds: u16,
    },
    /// Is gone without a word.
    Vanishes {
        /// After how long.
        seconds: u16,
    },
}

/// Why an agent fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The provider is unwell.
    Transient,
    /// It gave up.
    Permanent,
    /// A limit was reached.
    Resource,
    /// The provider does not know us.
    Credentials,
}

/// Which gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// The tests of a stage in which agents work.
    Tests,
    /// The tests of a merge.
    Mergeable,
}

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saying {
    /// It fails.
    Fails,
    /// It cannot tell.
    Errs,
    /// It cannot even begin.
    Breaks,
    /// It asks a person.
    Asks,
    /// It passes another commit than the one that it was asked about.
    Mistakes,
}

/// What a person asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Begin.
    Start,
    /// The question that is open gets this answer, with words.
    Answer(Reply),
    /// The last question that was settled gets an answer once more.
    AnswerAgain,
    /// Wait.
    Pause,
    /// Go on.
    Resume,
    /// Give up.
    Cancel,
    /// Once more.
    Retry,
    /// Begin a stage anew.
    Restart {
        /// Which, counted from 0.
        stage: u8,
    },
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The choice that goes on, whatever it is called.
    GoOn,
    /// The choice that sends the work back.
    Reject,
    /// Past the gate.
    Waive,
    /// Give up.
    Cancel,
    /// One that may not be offered.
    Approve,
}

/// Why a store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The disk is full.
    DiskFull,
    /// Too much is waiting.
    Overloaded,
    /// The database is unwell.
    Broken,
}
