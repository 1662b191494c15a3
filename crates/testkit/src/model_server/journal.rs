//! What the server was asked, and what it answered.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::Turn;

/// Older requests are forgotten: a server that somebody left running must not fill the memory.
const REQUESTS_KEPT: usize = 500;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// Without the query: `/v1/messages`.
    pub path: String,
    /// What came after the `?`.
    pub query: Option<String>,
    /// The key of `x-api-key`, or the token of `authorization: Bearer`.
    pub credential: Option<String>,
    /// Length of the body.
    pub body_bytes: usize,
    /// The body, where it is JSON.
    pub body: Option<Value>,
    /// What came back.
    pub answer: Answer,
}

/// What a request got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next turn of the script.
    Turn(Turn),
    /// Something harmless that is no part of the script: a greeting, the models, a token count, a title.
    Aside,
    /// An error: this is no request that a model server knows.
    Refused,
}

/// The requests so far, to be read while more come in.
#[derive(Default)]
pub(super) struct Journal {
    requests: Mutex<VecDeque<Request>>,
    grown: Condvar,
}

impl Journal {
    pub(super) fn record(&self, request: Request) {
        let mut requests = self.lock();
        if requests.len() == REQUESTS_KEPT {
            requests.pop_front();
        }
        requests.push_back(request);
        self.grown.notify_all();
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn turns(&self) -> Vec<Turn> {
        turns(&self.lock()).cloned().collect()
    }

    pub(super) fn wait_for_turns(&self, count: usize, limit: Duration) -> Vec<Turn> {
        let too_few = |requests: &mut VecDeque<Request>| turns(requests).count() < count;
        let (requests, _) = self
            .grown
            .wait_timeout_while(self.lock(), limit, too_few)
            .unwrap_or_else(PoisonError::into_inner);
        turns(&requests).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn turns(requests: &VecDeque<Request>) -> impl Iterator<Item = &Turn> {
    requests.iter().filter_map(|request| match &request.answer {
        Answer::Turn(turn) => Some(turn),
        Answer::Aside | Answer::Refused => None,
    })
}
