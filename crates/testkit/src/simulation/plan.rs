//! What happens in a history: data, so that it can be made up, cut down, kept and played again.

mod kinds;

pub use kinds::{
    Ask, AskOfLetter, Conduct, GateKind, Lack, Refusal, Reply, Saying, Shape, Trouble, Welcome,
};
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
    /// How many destinations are told what happens.
    pub destinations: u8,
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
    /// Somebody else commits to the branch of a pipeline, in the people's repository.
    Push {
        /// The pipeline, counted from 0 in the order of their making.
        pipeline: u8,
    },
    /// The people's repository is gone, or there again.
    Repository {
        /// The project.
        project: u8,
        /// Whether it is there.
        there: bool,
    },
    /// The next tries at a destination go like this.
    Destination {
        /// The destination, counted from 0.
        destination: u8,
        /// What it does with them.
        does: Welcome,
        /// How many.
        tries: u8,
    },
    /// Somebody asks something of a letter that waits or is dead.
    Letter {
        /// Which of those, counted from the newest.
        back: u8,
        /// What.
        asks: AskOfLetter,
    },
    /// Something is missing on the machine from now on, or everything is there again.
    Machine {
        /// What.
        lacks: Lack,
    },
    /// Somebody logs in where agents wait for that.
    LogIn,
    /// A node dies at its next calls of this name, and starts again each time.
    CrashAt {
        /// The node.
        node: u8,
        /// The call, like `store.apply`.
        call: String,
        /// Its effect is there, and the answer is lost.
        after: bool,
        /// How many times.
        times: u8,
        /// How long it is gone.
        seconds: u16,
    },
    /// An input that was brought before is brought again.
    Again {
        /// Which, counted from the newest.
        back: u16,
    },
}
