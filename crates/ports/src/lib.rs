//! What the engine asks of the world: one trait a file, no default methods, nothing else.

mod agent;
mod briefs;
mod clock;
mod destination;
mod entropy;
mod files;
mod gates;
mod git;
mod machine;
mod sandbox;
mod store;
mod wakeup;

pub use agent::{
    Agent, AgentCheck, AgentError, AgentProfile, LaunchContext, LaunchLine, LoginFile, StreamParser,
};
pub use briefs::{BriefError, Briefs};
pub use clock::Clock;
pub use destination::{Delivery, Destination};
pub use entropy::Entropy;
pub use files::Files;
pub use gates::{GateAnswer, GateError, GateQuestion, Gates};
pub use git::{
    ChangeKind, Conflict, FileWrite, Git, GitError, HandIn, HandInRequest, Integration, Joined,
    Landing, Merge, MergeStrategy, PathChange, ProjectRef, Publication, Workspace, WorkspaceSpec,
};
pub use machine::{Machine, Room, Taken, is_full_disk};
pub use sandbox::{
    ExitRecord, Mount, OutputStream, Sandbox, SandboxEnd, SandboxError, SandboxLimits, SandboxSpec,
    SandboxStatus, StopReason,
};
pub use store::{
    Applied, Caps, Claim, DamagedRow, DueTimer, Held, JobFilter, JobUpdate, LetterCount,
    LetterFilter, NewLetter, NextDue, PipelineFilter, ProjectRecord, Step, Store, StoreError,
    Stranded, TakeLetters, TimerChange,
};
pub use wakeup::Wakeup;
