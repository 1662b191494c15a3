//! Which turn comes next?

use std::collections::HashSet;

use super::{
    conversation::Conversation,
    script::{Script, Turn},
};

/// A script, and the troubles of it that have passed.
pub(super) struct Player {
    script: Script,
    /// Case and position.
    passed: HashSet<(usize, usize)>,
}

impl Player {
    pub(super) fn new(script: Script) -> Self {
        Self { script, passed: HashSet::new() }
    }

    /// The turn for a conversation; the same one again for a repeated request, unless it is a trouble.
    pub(super) fn next(&mut self, conversation: &Conversation) -> Turn {
        let Script { turns, when, usage: _ } = &self.script;
        let case = when
            .iter()
            .position(|case| conversation.opening.contains(&case.text))
            .unwrap_or(when.len());
        let turns = when.get(case).map_or(turns, |case| &case.turns);

        let mut taken = 0;
        for (position, turn) in turns.iter().enumerate() {
            if taken == conversation.turns_taken {
                let lasts = !turn.is_trouble() || position + 1 == turns.len();
                if lasts || self.passed.insert((case, position)) {
                    return turn.clone();
                }
            }
            if !turn.is_trouble() {
                taken += 1;
            }
        }
        Turn::say("There is nothing left to do.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(opening: &str, turns_taken: usize) -> Conversation {
        Conversation {
            opening: opening.to_owned(),
            turns_taken,
            offers_tools: true,
            streamed: true,
            model: String::new(),
        }
    }

    fn player(turns: impl IntoIterator<Item = Turn>) -> Player {
        Player::new(Script::new(turns))
    }

    #[test]
    fn a_repeated_request_gets_the_same_turn() {
        let mut player = player([Turn::shell("one"), Turn::shell("two")]);
        for _ in 0..2 {
            assert_eq!(player.next(&conversation("", 0)), Turn::shell("one"));
            assert_eq!(player.next(&conversation("", 1)), Turn::shell("two"));
        }
        assert!(matches!(player.next(&conversation("", 2)), Turn::Say(_)));
    }

    #[test]
    fn a_trouble_passes() {
        let mut player =
            player([Turn::shell("one"), Turn::fail(429), Turn::CutStream, Turn::say("done")]);
        assert_eq!(player.next(&conversation("", 0)), Turn::shell("one"));
        assert_eq!(player.next(&conversation("", 1)), Turn::fail(429));
        assert_eq!(player.next(&conversation("", 1)), Turn::CutStream);
        assert_eq!(player.next(&conversation("", 1)), Turn::say("done"));
        assert_eq!(player.next(&conversation("", 1)), Turn::say("done"));
    }

    #[test]
    fn a_trouble_at_the_end_stays() {
        let mut player = player([Turn::fail(500), Turn::fail(401)]);
        let answers = [(); 3].map(|()| player.next(&conversation("", 0)));
        assert_eq!(answers, [Turn::fail(500), Turn::fail(401), Turn::fail(401)]);
    }

    #[test]
    fn the_first_message_chooses_the_script() {
        let script = Script::new([Turn::say("code")])
            .when("role: reviewer", [Turn::Hang, Turn::say("review")])
            .when("role:", [Turn::say("other")]);
        let mut player = Player::new(script);
        assert_eq!(player.next(&conversation("role: reviewer\n", 0)), Turn::Hang);
        assert_eq!(player.next(&conversation("role: tester\n", 0)), Turn::say("other"));
        assert_eq!(player.next(&conversation("hello", 0)), Turn::say("code"));
        assert_eq!(player.next(&conversation("role: reviewer\n", 0)), Turn::say("review"));
    }
}
