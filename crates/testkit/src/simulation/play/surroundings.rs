//! What agents and gates are going to do.

use std::time::Duration;

use domain::{failure::FailureClass, revision::CommitSha};

use super::Play;
use crate::{
    simulation::plan::{Conduct, GateKind, Saying, Trouble},
    world::{Answer, Script},
};

impl Play<'_> {
    pub(super) fn instruct_gate(&mut self, gate: GateKind, says: Saying) {
        self.given_out += 1;
        let name = match gate {
            GateKind::Tests => "tests",
            GateKind::Mergeable => "mergeable",
        };
        let words = format!("it does not do, {}", self.given_out);
        let answer = match says {
            Saying::Fails => Answer::Fails(words),
            Saying::Errs => Answer::Errs(words),
            Saying::Breaks => Answer::Breaks(words),
            Saying::Asks => Answer::Asks(words),
            Saying::Mistakes => Answer::Mistakes(CommitSha::new("e".repeat(40)).expect("a commit")),
        };
        self.world.gates.next_answer(name, answer);
    }

    pub(super) fn script(&mut self, conduct: Conduct) -> Script {
        self.given_out += 1;
        let number = self.given_out;
        let own = format!("agent-{number}.txt");
        let words = format!("by agent {number}");
        let time = |seconds: u16| Duration::from_secs(seconds.into());
        let begun = Script::waits().say(&format!("session s-{number}")).write(&own, "half");
        match conduct {
            Conduct::Works { seconds, tokens } => {
                begun.rest(time(seconds)).say(&format!("usage {tokens}")).write(&own, &words).end(0)
            }
            Conduct::Meddles { seconds } => {
                Script::waits().rest(time(seconds)).write("shared.txt", &words).end(0)
            }
            Conduct::Idles => Script::waits().say("nothing to do").end(0),
            Conduct::Trespasses => Script::waits().write(".gatewright/rules", &words).end(0),
            Conduct::Fails { class, seconds, tokens } => begun
                .rest(time(seconds))
                .say(&format!("usage {tokens}"))
                .say(&format!("fail {} it was told to", failure_class(class)))
                .end(1),
            Conduct::Exhausts { seconds, opens_in } => {
                let opens = self.now().as_second() + i64::from(opens_in);
                begun
                    .rest(time(seconds))
                    .say("fail quota the window is spent")
                    .say(&format!("opens {opens}"))
                    .end(0)
            }
            Conduct::Stalls => begun.say("let me think"),
            Conduct::Digs { seconds } => {
                begun.say("tool bash").rest(time(seconds)).say("result").write(&own, &words).end(0)
            }
            Conduct::Defies { seconds } => {
                begun.defies().rest(time(seconds)).write(&own, &words).end(0)
            }
            Conduct::Vanishes { seconds } => begun.rest(time(seconds)).vanish(),
        }
    }
}

const fn failure_class(trouble: Trouble) -> FailureClass {
    match trouble {
        Trouble::Transient => FailureClass::Transient,
        Trouble::Permanent => FailureClass::Permanent,
        Trouble::Resource => FailureClass::Resource,
        Trouble::Credentials => FailureClass::Credentials,
    }
}
