//! Waits that end by option `timeout`.

use std::time::Duration;

/// What a future gives, unless the limit is over before; none is no limit.
pub(crate) async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}
