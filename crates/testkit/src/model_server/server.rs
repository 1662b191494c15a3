//! The server's life: a thread with a runtime of its own, from start to drop.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Request, Script, Turn,
    journal::Journal,
    routes::{self, Routes},
};

/// A running fake model. Dropping it ends the server and every connection.
///
/// It runs on a thread of its own, so it serves plain tests and asynchronous ones alike.
pub struct ModelServer {
    address: SocketAddr,
    journal: Arc<Journal>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Panics
    /// Where the system does not give a port or a thread.
    #[must_use]
    pub fn start(script: Script) -> Self {
        Self::start_on(script, 0).expect("the loopback interface has a free port")
    }

    /// Starts a server on `port` of the loopback interface; 0 takes a free one.
    pub fn start_on(script: Script, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Journal::default());
        let routes = Routes::new(script, Arc::clone(&journal));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("fake-model".to_owned())
            .spawn(move || runtime.block_on(serve(listener, routes, stopped)))?;
        Ok(Self { address, journal, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end. Clients of the Responses protocol want `/v1` after it.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The last 500 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.journal.requests()
    }

    /// The turns that were played, oldest first: a turn that was asked for twice is here twice.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        self.journal.turns()
    }

    /// Blocks until `count` turns were played, and returns all that were.
    ///
    /// # Panics
    /// When `limit` is over first.
    #[must_use]
    pub fn wait_for_turns(&self, count: usize, limit: Duration) -> Vec<Turn> {
        let turns = self.journal.wait_for_turns(count, limit);
        assert!(turns.len() >= count, "after {limit:?} only these turns were asked for: {turns:?}");
        turns
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed, and its client has seen a broken connection.
            drop(thread.join());
        }
    }
}

/// Serves until the other end of `stopped` is gone. What is still open then falls with the runtime.
async fn serve(listener: TcpListener, routes: Routes, stopped: oneshot::Receiver<()>) {
    let listener = tokio::net::TcpListener::from_std(listener)
        .expect("the listener is bound and does not block");
    tokio::select! {
        _ = stopped => {}
        _ = axum::serve(listener, routes::router(routes)).into_future() => {}
    }
}
