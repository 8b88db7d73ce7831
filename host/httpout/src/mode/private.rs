//! Where a program of ours pushes what it makes: uploads that nobody else can send.

use std::sync::{Arc, Mutex};

use ::http::{HeaderValue, header};
use httpout_plugins::Exchange;

use crate::body::Upload;
use crate::error::Reject;
use crate::handler::Answer;
use crate::mode::FileServer;
use crate::resource::Begun;

/// Told of each path that has been written.
pub(crate) type Written = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// What a connection of the program may do.
pub(crate) struct Private {
    /// Takes uploads, and shows nothing.
    pub(crate) files: Arc<FileServer>,
    /// What it calls itself.
    pub(crate) secret: HeaderValue,
    pub(crate) written: Written,
    /// The write that began when the connection came: the program has one for each, in its order, while their tasks may
    /// begin in any.
    pub(crate) first: Mutex<Option<Begun>>,
}

impl Private {
    /// The write that begins with a request.
    pub(super) fn begin(&self) -> Option<Begun> {
        let first = self.first.lock().expect("no holder panics").take();
        first.or_else(|| self.files.begin())
    }

    pub(super) async fn route(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        upload: &mut Upload,
    ) -> Result<Answer, Reject> {
        let given = exchange.head.headers.get(header::USER_AGENT);
        if !given.is_some_and(|given| is_same(given, &self.secret)) {
            return Err(Reject::NotFound);
        }
        let answer = self.files.route(exchange, path, upload).await?;
        (self.written)(path);
        Ok(answer)
    }
}

/// Compares in a time that does not tell how much of it is right.
fn is_same(given: &HeaderValue, secret: &HeaderValue) -> bool {
    let (given, secret) = (given.as_bytes(), secret.as_bytes());
    let differences = given
        .iter()
        .zip(secret)
        .fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == secret.len() && differences == 0
}
