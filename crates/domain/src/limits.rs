//! Every limit that is ours to set, with the reason for its value.

use std::time::Duration;

/// Tries of a job that fails for good reasons of its own (exit code, invalid output).
pub const JOB_ATTEMPTS_MAX: u32 = 2;
/// Tries of a job whose outside world is unwell (429, 529, connection reset); they cost nothing else.
pub const JOB_TRANSIENT_ATTEMPTS_MAX: u32 = 5;
/// Times in a row that a job may be lost to restarts before a person is asked.
pub const JOB_LOST_MAX: u32 = 3;
/// Times that a job may be held back by a spent quota window or a login before a person is asked: as often as the
/// longest window is looked at where nobody says when it opens.
pub const JOB_HOLDS_MAX: u32 = 400;

/// How long a job may be due, a slot being free for it, before a person should look: a worker takes it within
/// milliseconds, or within seconds where a wake-up was lost.
pub const JOB_OVERDUE: Duration = Duration::from_mins(2);

/// First step of the backoff.
pub const BACKOFF_BASE: Duration = Duration::from_secs(10);
/// Longest backoff; also caps a `Retry-After`.
pub const BACKOFF_MAX: Duration = Duration::from_mins(10);

/// Transient failures in a row that say that a provider is unwell, and not just a call.
pub const BREAKER_FAILURES_MAX: u32 = 3;
/// How long nothing is asked of a provider that is unwell.
pub const BREAKER_OPEN: Duration = Duration::from_mins(5);
/// How long to wait for a quota window where nobody says when it opens.
pub const QUOTA_WAIT: Duration = Duration::from_mins(30);
/// Shortest wait for a quota window: one that is said to be open and refuses all the same must not be asked in a loop.
pub const QUOTA_WAIT_MIN: Duration = Duration::from_mins(1);
/// Longest wait for a quota window: the longest that is sold is a week; a clock that is wrong must not cost a year.
pub const QUOTA_WAIT_MAX: Duration = Duration::from_hours(8 * 24);

/// How long a look at agents, sandbox and room counts: long enough to cost nothing, short enough to notice.
pub const PREFLIGHT_TTL: Duration = Duration::from_secs(45);
/// The same for a look that found something wrong: whoever mends it does not want to wait.
pub const PREFLIGHT_TTL_FAILED: Duration = Duration::from_secs(10);
/// After how long a look is renewed that found nothing wrong: before it counts no more, so that nobody waits for the next.
pub const PREFLIGHT_RENEWAL: Duration = Duration::from_secs(30);
/// How long one look may take: programs have 5 s for their answer, and a disk that hangs gives none at all.
pub const PREFLIGHT_TIME_LIMIT: Duration = Duration::from_secs(10);
/// How often what jobs wait for is said again where only its figures change.
pub const PREFLIGHT_TOLD_EVERY: Duration = Duration::from_mins(1);
/// Free bytes on the disk below which nothing is started: what runs already needs room to end well.
pub const DISK_BYTES_MIN: u64 = 200 * 1024 * 1024;
/// Free bytes of memory below which nothing is started: the next process would be killed, or kill another.
pub const MEMORY_BYTES_MIN: u64 = 128 * 1024 * 1024;

/// How long a lease lasts without a heartbeat.
pub const LEASE_TTL: Duration = Duration::from_secs(30);
/// Heartbeats come three to a lease, so that one may be late and one lost.
pub const LEASE_HEARTBEAT: Duration = Duration::from_secs(10);

/// Tries of a letter that its destination does not take, before it is dead: with the backoff half an hour, in which a
/// service is restarted; a person has what came later tried again.
pub const LETTER_FAILURES_MAX: u32 = 12;
/// Times in a row that a letter may be lost to restarts: one that ends the process each time must not do so for ever.
pub const LETTER_LOST_MAX: u32 = 8;
/// How long one delivery may take; a destination that hangs holds up its own letters only.
pub const DELIVERY_TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long the lease of a letter lasts: longer than any delivery, so that nobody has to renew it.
pub const LETTER_LEASE_TTL: Duration = Duration::from_mins(1);
/// Characters that are kept of what a destination says.
pub const LETTER_WORDS_CHARS_MAX: usize = 500;
/// Workspaces that one look considers for removal: a query each, and those of living pipelines come first where there are
/// many.
pub const WORKSPACES_LOOKED_AT_MAX: usize = 1000;
/// Times that the removal of a workspace which was left behind is begun and not ended before a person has to do it.
pub const SWEEPS_MAX: u32 = 4;
/// Newest commits of all branches, and of the target alone, among which items are looked for that another data directory has delivered: a tenth of a
/// second of git's time.
pub const SUBJECTS_READ_MAX: u32 = 10_000;
/// Newest commits that the target was moved to among which merges of a pipeline are looked for that its log does not tell of:
/// a restore is from a backup of weeks, and this is a tenth of a second of git's time.
pub const MERGES_LOOKED_FOR_MAX: u32 = 10_000;
/// The highest item number that is believed of a repository: it comes from outside, and the next one must have a number.
pub const ITEM_NUMBER_MAX: u32 = 100_000_000;
/// How often the watchdog looks for pipelines that nothing will move: soon enough for a person, and one query each time.
pub const LIVENESS_CHECK: Duration = Duration::from_mins(1);

/// Time limit of an agent run where its role sets none.
pub const AGENT_TIME_LIMIT: Duration = Duration::from_mins(30);
/// How long an agent may be silent, no tool call being under way.
pub const AGENT_STALL_LIMIT: Duration = Duration::from_mins(5);
/// How long one tool call of an agent may take before its silence counts as a stall.
pub const AGENT_TOOL_LIMIT: Duration = Duration::from_mins(15);
/// Tool calls in a row of which next to none is new before it counts as a loop: a run that made 613 of them in 94 min
/// would have ended after 9 min, and waiting for a build with one look a minute is no loop for an hour.
pub const AGENT_REPEAT_LIMIT: u32 = 60;
/// Equal errors in a row before an agent counts as stuck: clients of tools try three times, people maybe five.
pub const AGENT_ERROR_LIMIT: u32 = 15;
/// How long a busy agent may do nothing new. Longer than the usual run: it is for those that are given hours.
pub const AGENT_PROGRESS_LIMIT: Duration = Duration::from_mins(45);
/// Turns that a busy agent has at least taken in that time; fewer are long thoughts.
pub const AGENT_PROGRESS_TURNS_MIN: u32 = 100;
/// Between SIGTERM and SIGKILL.
pub const AGENT_STOP_GRACE: Duration = Duration::from_secs(10);
/// Longest that preparing a workspace or handing in may take: git on a large repository, but not a pipe that nobody feeds.
pub const WORKSPACE_TIME_LIMIT: Duration = Duration::from_mins(10);
/// Bytes of one run's log; past it the log says that it was cut and the agent goes on.
pub const RUN_LOG_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// How the line begins with which such a log says so.
pub const LOG_CUT: &str = "[gatewright: log limit of ";
/// Bytes of one line of an agent's stream that are parsed; a longer line is kept raw in the log only.
pub const STREAM_LINE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Time limit of a gate's command where it sets none.
pub const GATE_TIME_LIMIT: Duration = Duration::from_mins(10);
/// Lines of a gate command's output that are shown.
pub const GATE_OUTPUT_LINES: usize = 500;
/// Bytes of findings in a brief; the whole stands in the evidence.
pub const BRIEF_FINDINGS_BYTES_MAX: usize = 12 * 1024;
/// Characters of a finding where it is told in passing: with what it is about around it, it fits on a line of words.
pub const FINDING_SHORT_CHARS: usize = 360;

/// Times that a role may hand in what it must not (or nothing) before a person is asked.
pub const HAND_IN_RETRIES_MAX: u32 = 2;
/// Rounds of questions that an agent may ask in one stage.
pub const QUESTION_ROUNDS_MAX: u32 = 3;
/// Times that a merge starts again because its target moved.
pub const MERGE_RETRIES_MAX: u32 = 5;
/// Default of `max` in `on_fail`.
pub const ROUTE_MAX: u32 = 3;

/// Bytes of one file that an agent may add; more is a finding.
pub const HAND_IN_FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Bytes of everything that one run may hand in.
pub const HAND_IN_BYTES_MAX: u64 = 500 * 1024 * 1024;

/// Characters of an item's title that are kept.
pub const TITLE_CHARS_MAX: usize = 500;
/// Bytes of an item's description that are kept.
pub const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;
/// Bytes of what a person says with an answer or as a reason: it stands in the log, in letters and in briefs, and an
/// agent is to read all of it.
pub const WORDS_BYTES_MAX: usize = 64 * 1024;

/// Characters of a title that intake takes: long enough to say something, short enough for a list.
pub const INTAKE_TITLE_CHARS: std::ops::RangeInclusive<usize> = 5..=80;
/// Fewest characters of a description that intake takes: an analyst needs something to start from.
pub const INTAKE_DESCRIPTION_CHARS_MIN: usize = 20;
