//! Ends of live presentations, told a little later: players stop for good when they hear of one, and an encoder that is
//! started again at once takes it back.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::error::Reject;
use crate::resource::{Stored, blocking};

/// How long an encoder may take to come back.
const GRACE: Duration = Duration::from_secs(10);

/// The most ends that are held back at a time: each is a file that is not published yet.
const MOST: usize = 64;

#[derive(Default)]
pub(crate) struct HeldEnds {
    holding: Mutex<JoinSet<()>>,
    /// The server stops.
    hurry: watch::Sender<bool>,
}

impl HeldEnds {
    /// Holds an end back, unless there are too many. `tell` may block.
    ///
    /// # Errors
    /// `tell` itself, to be told now.
    pub(super) fn hold<T>(&self, tell: T) -> Result<(), T>
    where
        T: FnOnce() -> Result<Stored, Reject> + Send + 'static,
    {
        let mut holding = self.holding();
        while holding.try_join_next().is_some() {}
        if holding.len() >= MOST {
            return Err(tell);
        }
        let mut hurry = self.hurry.subscribe();
        holding.spawn(async move {
            tokio::select! {
                () = sleep(GRACE) => {}
                _ = hurry.wait_for(|hurry| *hurry) => {}
            }
            if let Err(reject) = blocking(tell).await {
                tracing::error!("the end of a live presentation cannot be written: {reject}");
            }
        });
        Ok(())
    }

    /// Tells all of them now.
    pub(crate) async fn finish(&self) {
        self.hurry.send_replace(true);
        let mut holding = std::mem::take(&mut *self.holding());
        while holding.join_next().await.is_some() {}
    }

    fn holding(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.holding.lock().expect("no holder panics")
    }
}
