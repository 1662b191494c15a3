//! Tells the play when nothing can run any more, or when enough has happened.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard},
    task::{Poll, Waker},
};

/// Why it rang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rang {
    /// Everybody waits for time to pass, or for nothing at all.
    Idle,
    /// So many calls have passed.
    Passed,
}

#[derive(Debug, Default)]
struct State {
    passed: u64,
    goal: Option<u64>,
    idle: bool,
    listener: Option<Waker>,
}

/// One listener, and whoever makes it ring.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
}

impl Bell {
    /// The runtime has nothing left to run.
    pub(super) fn idle(&self) {
        let mut state = self.state();
        state.idle = true;
        wake(state);
    }

    /// A call has passed.
    pub(super) fn passed(&self) {
        let mut state = self.state();
        state.passed += 1;
        if state.goal.is_some_and(|goal| state.passed >= goal) {
            wake(state);
        }
    }

    /// How many calls have passed.
    pub(super) fn count(&self) -> u64 {
        self.state().passed
    }

    /// Waits until nothing can run, or until the count has reached `goal`.
    pub(super) async fn listen(&self, goal: Option<u64>) -> Rang {
        {
            let mut state = self.state();
            state.goal = goal;
            state.idle = false;
        }
        poll_fn(|context| {
            let mut state = self.state();
            if state.goal.is_some_and(|goal| state.passed >= goal) {
                return Poll::Ready(Rang::Passed);
            }
            if state.idle {
                return Poll::Ready(Rang::Idle);
            }
            state.listener = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let listener = state.listener.take();
    drop(state);
    if let Some(listener) = listener {
        listener.wake();
    }
}
