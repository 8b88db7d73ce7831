//! Work on files, beside what must not wait for it.

use std::io;

use tokio::task::spawn_blocking;

use crate::error::Reject;

/// Runs what touches the disk on a thread that may block, to its end.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Reject> + Send + 'static,
) -> Result<T, Reject> {
    let done = spawn_blocking(work).await;
    done.map_err(|panic| Reject::Write(io::Error::other(panic)))?
}
