//! How well the model provider is, as far as a stream has told.
//!
//! A run that is stopped while its client waits for an overloaded provider did not do too little: the provider
//! did. So what is still open when the run ends decides the class, before the limit that ended it does.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureClass},
    run::AgentEvent,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    opening::{self, Opening},
    patience, trouble,
};

/// Trouble that the stream has reported and that no work has followed since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provider {
    open: Option<Trouble>,
    /// Kept when work goes on: a later error of the same run may not name it again.
    until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Trouble {
    Retrying { status: Option<u16>, after: Option<Duration> },
    RateLimited,
}

impl Provider {
    /// Takes notice of an event.
    pub(crate) fn observe(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::Retrying { status, after, .. } => {
                self.open = Some(Trouble::Retrying { status: *status, after: *after });
            }
            AgentEvent::RateLimited { until } => {
                self.open = Some(Trouble::RateLimited);
                self.until = until.or(self.until);
            }
            AgentEvent::Text { .. }
            | AgentEvent::Thinking
            | AgentEvent::ToolCall { .. }
            | AgentEvent::ToolResult { .. } => {
                self.open = None;
            }
            AgentEvent::Started { .. }
            | AgentEvent::Usage { .. }
            | AgentEvent::Error { .. }
            | AgentEvent::Finished => {}
        }
    }

    /// The failure that open trouble makes of an end, if there is any.
    pub(crate) fn failure(&self, ended_at: Timestamp) -> Option<Failure> {
        let failure = match self.open.as_ref()? {
            Trouble::Retrying { status: Some(status), .. } => {
                refusal(*status, "the agent ended with that answer")
            }
            Trouble::Retrying { status: None, .. } => Failure::new(
                FailureClass::Transient,
                "the model provider did not answer, and the agent ended",
            ),
            Trouble::RateLimited => {
                Failure::new(FailureClass::Quota, "a quota window of the model provider is spent")
            }
        };
        Some(self.with_patience(failure, ended_at))
    }

    /// Adds the wait that the provider or the agent's client asked for. A refusal while a window is known to be spent
    /// is that window's.
    pub(crate) fn with_patience(&self, mut failure: Failure, ended_at: Timestamp) -> Failure {
        let opens_later = self.until.filter(|until| *until > ended_at);
        let refused = matches!(
            self.open,
            Some(Trouble::RateLimited | Trouble::Retrying { status: Some(429), .. })
        );
        match failure.class {
            FailureClass::Transient if refused && opens_later.is_some() => {
                failure = Failure { class: FailureClass::Quota, retry_after: None, ..failure };
                failure.until = opens_later;
            }
            FailureClass::Transient => {
                let client = match self.open {
                    Some(Trouble::Retrying { after, .. }) => after,
                    Some(Trouble::RateLimited) | None => None,
                };
                let quoted = || patience::retry_after_in(&failure.message, ended_at);
                let said = || patience::wait_in(&failure.message);
                failure.retry_after = failure.retry_after.or(client).or_else(quoted).or_else(said);
            }
            FailureClass::Quota => {
                let wait = failure.retry_after.take();
                let waited = wait.or_else(|| patience::wait_in(&failure.message)).map(|wait| {
                    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
                    ended_at.saturating_add(wait).unwrap_or(Timestamp::MAX)
                });
                failure.until = failure.until.or(opens_later).or(waited);
                if failure.until.is_none() {
                    failure = as_said(failure, ended_at);
                }
            }
            FailureClass::Permanent
            | FailureClass::Resource
            | FailureClass::Lost
            | FailureClass::Credentials => {}
        }
        failure
    }
}

/// Adds when the window opens by its words, or that they leave it open.
fn as_said(mut failure: Failure, ended_at: Timestamp) -> Failure {
    const NO_ZONE: &str = " (no time zone is named: it is looked at again now and then)";
    match opening::opening_in(&failure.message, ended_at) {
        Some(Opening::At(until)) => failure.until = Some(until),
        Some(Opening::NotBefore(earliest)) => {
            failure.until = Some(earliest).filter(|it| *it > ended_at);
            failure.message.push_str(NO_ZONE);
        }
        Some(Opening::Unknown) => failure.message.push_str(NO_ZONE),
        None => {}
    }
    failure
}

/// An HTTP status as a failure, with the words that came along.
pub(crate) fn refusal(status: u16, said: &str) -> Failure {
    let class = trouble::class_of_status(status);
    let advice = match class {
        FailureClass::Credentials => "; see to the key, login or account of this agent",
        _ => "",
    };
    Failure::new(class, format!("the model provider answered {status}: {said}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrying(status: u16) -> AgentEvent {
        AgentEvent::Retrying {
            status: Some(status),
            after: Some(Duration::from_secs(8)),
            attempt: 1,
        }
    }

    #[test]
    fn trouble_that_work_has_followed_explains_nothing() {
        let mut provider = Provider::default();
        provider.observe(&retrying(529));
        let failure = provider.failure(Timestamp::UNIX_EPOCH).expect("open trouble");
        assert_eq!(
            (failure.class, failure.retry_after),
            (FailureClass::Transient, Some(Duration::from_secs(8)))
        );

        provider.observe(&AgentEvent::Text { text: "on I go".to_owned() });
        assert_eq!(provider.failure(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn a_window_is_waited_for_until_it_opens_and_not_when_it_has() {
        let until = Timestamp::from_second(1_000).expect("a time");
        let mut provider = Provider::default();
        provider.observe(&AgentEvent::RateLimited { until: Some(until) });
        let waits = |at| {
            let failure = provider.failure(Timestamp::from_second(at).expect("a time"));
            let failure = failure.expect("trouble");
            assert_eq!((failure.class, failure.retry_after), (FailureClass::Quota, None));
            failure.until
        };
        assert_eq!(waits(400), Some(until));
        assert_eq!(waits(2_000), None);
    }

    /// It is 429 that a spent window explains, and not whatever else goes wrong before it opens.
    #[test]
    fn another_trouble_is_not_taken_for_the_window() {
        let until = Timestamp::from_second(1_000).expect("a time");
        let mut provider = Provider::default();
        provider.observe(&AgentEvent::RateLimited { until: Some(until) });
        for (status, class) in [(429, FailureClass::Quota), (529, FailureClass::Transient)] {
            provider.observe(&retrying(status));
            let failure = provider.failure(Timestamp::UNIX_EPOCH).expect("open trouble");
            assert_eq!(failure.class, class, "{status}");
        }
    }

    #[test]
    fn a_refused_key_asks_for_a_person() {
        let mut provider = Provider::default();
        provider.observe(&retrying(401));
        let failure = provider.failure(Timestamp::UNIX_EPOCH).expect("open trouble");
        assert_eq!((failure.class, failure.retry_after), (FailureClass::Credentials, None));
    }
}
