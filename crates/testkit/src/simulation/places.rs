//! What histories can reach: moves that the domain allows, and calls at which a process can die.

/// Which inputs move a pipeline, by state: what the transition table of the domain allows, without what is refused.
pub(super) const MOVES: &[(&str, &[&str])] = &[
    ("queued", &["start", "pause", "cancel", "letter"]),
    (
        "running: opening",
        &[
            "job_done",
            "job_retried",
            "job_failed",
            "timer_fired",
            "stranded",
            "pause",
            "cancel",
            "letter",
        ],
    ),
    ("running: working", AT_WORK),
    ("running: joining", AT_WORK),
    ("running: acting", AT_WORK),
    ("running: gating", AT_WORK),
    ("running: integrating", AT_WORK),
    ("running: landing", &["job_done", "job_retried", "job_failed", "stranded", "pause", "letter"]),
    (
        "awaiting_human",
        &["resolve", "timer_fired", "stranded", "pause", "cancel", "restart_stage", "letter"],
    ),
    ("blocked", &["resolve", "stranded", "pause", "cancel", "retry", "restart_stage", "letter"]),
    ("blocked: landing", &["resolve", "stranded", "pause", "cancel", "retry", "letter"]),
    (
        "paused",
        &[
            "job_done",
            "job_retried",
            "job_failed",
            "resolve",
            "timer_fired",
            "stranded",
            "resume",
            "cancel",
            "retry",
            "restart_stage",
            "letter",
        ],
    ),
    ("succeeded", ENDED),
    ("failed", &["cancel", "retry", "letter"]),
    ("cancelled", ENDED),
];

/// What moves a pipeline at work.
const AT_WORK: &[&str] = &[
    "job_done",
    "job_retried",
    "job_failed",
    "timer_fired",
    "stranded",
    "pause",
    "cancel",
    "restart_stage",
    "letter",
];
/// What is told of a pipeline that has ended, whose clean-up may go wrong.
const ENDED: &[&str] = &["job_done", "job_retried", "job_failed", "letter"];

/// Moves that the domain allows and no history can make, with the reason.
const UNREACHABLE: &[(Place, &str)] = &[
    (
        Place::Input("stranded"),
        "nothing strands a pipeline but a fault of ours: that it happens breaks a rule",
    ),
    (
        Place::Move("queued", "letter"),
        "what was not started has told nothing that a letter could be about",
    ),
];

/// What an exception is about.
enum Place {
    /// An input in every state.
    Input(&'static str),
    /// An input in one state.
    Move(&'static str, &'static str),
}

/// Every call that an engine makes of a port and that a process can die at.
pub(super) const CALLS: &[&str] = &[
    "destination.abandon",
    "destination.deliver",
    "files.write",
    "gates.abandon",
    "gates.judge",
    "git.collect",
    "git.commit_files",
    "git.find_merges",
    "git.find_target",
    "git.integrate",
    "git.join",
    "git.land",
    "git.list_branches",
    "git.list_subjects",
    "git.list_workspaces",
    "git.load_tree",
    "git.open_workspace",
    "git.publish",
    "git.remove_workspace",
    "git.sweep_workspace",
    "git.sync",
    "machine.check_agent",
    "machine.measure",
    "machine.room",
    "sandbox.check",
    "sandbox.launch",
    "sandbox.read_log",
    "sandbox.remove",
    "sandbox.status",
    "sandbox.stop",
    "sandbox.wait",
    "sandbox.wait_output",
    "store.apply",
    "store.claim",
    "store.create_pipeline",
    "store.drop_timer",
    "store.find_decision",
    "store.find_definition",
    "store.find_letter",
    "store.find_open_run",
    "store.find_pipeline",
    "store.find_project",
    "store.find_run",
    "store.find_timer",
    "store.find_verdict",
    "store.heartbeat",
    "store.list_breakers",
    "store.list_due_timers",
    "store.list_events",
    "store.list_jobs",
    "store.list_letters",
    "store.list_orphaned_runs",
    "store.list_pipelines",
    "store.list_runs",
    "store.list_stranded",
    "store.load_breaker",
    "store.next_due",
    "store.next_letter",
    "store.park_damaged",
    "store.save_breaker",
    "store.save_definition",
    "store.save_run",
    "store.settle_job",
    "store.settle_letter",
    "store.settle_run",
    "store.take_letters",
];

/// Every move that the domain allows.
pub(super) fn allowed() -> impl Iterator<Item = (&'static str, &'static str)> {
    MOVES.iter().flat_map(|(state, inputs)| inputs.iter().map(move |input| (*state, *input)))
}

/// Why no history can make this move, where none can.
pub(super) fn unreachable_for((state, input): (&str, &str)) -> Option<&'static str> {
    let is_meant = |place: &Place| match place {
        Place::Input(it) => *it == input,
        Place::Move(at, it) => (*at, *it) == (state, input),
    };
    UNREACHABLE.iter().find(|(place, _)| is_meant(place)).map(|(_, reason)| *reason)
}
