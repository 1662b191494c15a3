//! The kinds of things that acts choose between.

use serde::{Deserialize, Serialize};

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
    /// A developer and tests, then a merge, and both once more.
    Twice,
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
    /// Meets a quota window that is spent, in the middle of its conversation.
    Exhausts {
        /// After how long.
        seconds: u16,
        /// When it opens, counted from the making of this act.
        opens_in: u16,
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
    /// The question that is open is approved without a look, if it is an approval.
    ApproveUnseen,
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

/// What a destination does with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    /// Takes it, and the answer is lost.
    LosesTheAnswer,
    /// Does not take it this time.
    Fails,
    /// Wants to be left alone for five minutes.
    IsBusy,
    /// Will never take it.
    Refuses,
    /// Does not answer.
    Hangs,
}

/// What a person asks of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskOfLetter {
    /// Try it again.
    Retry,
    /// Give it up.
    Drop,
}

/// What a machine lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// Nothing any more.
    Nothing,
    /// The program of the agent.
    Agent,
    /// The sandbox.
    Sandbox,
    /// Room on the disk.
    Disk,
    /// Memory.
    Memory,
}
