//! The end of an exchange: always, exactly once, however it comes about.

use std::sync::Arc;

use httpout_plugins::{CloseCode, Exchange, OpenSessions};
use tokio::runtime::Handle;

use crate::server::{Handling, Link};
use crate::site::Site;

/// Ends an exchange when it is dropped: tells the plugins, then writes the record.
///
/// It travels with the response body. If the handler is dropped before there is one, the client has left.
pub(crate) struct Ending {
    pub(crate) exchange: Arc<Exchange>,
    /// The plugin instances to which more calls are to be made.
    pub(crate) open: OpenSessions,
    site: Arc<Site>,
    /// The server does not stop before plugins have been told.
    link: Arc<Link>,
    /// None as long as the client may still leave before the end.
    code: Option<CloseCode>,
}

impl Ending {
    pub(crate) fn new(exchange: Arc<Exchange>, site: Arc<Site>, link: Arc<Link>) -> Ending {
        Ending {
            exchange,
            open: OpenSessions::default(),
            site,
            link,
            code: None,
        }
    }

    /// A plugin makes the body wait: the connection is not idle.
    pub(crate) fn start_waiting(&self) -> Handling {
        self.link.start_handling()
    }

    /// How the exchange has ended; what is said first counts.
    pub(crate) fn set_code(&mut self, code: CloseCode) {
        self.code.get_or_insert(code);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(CloseCode::ConnectionClosed);
        let (exchange, site, link) = (self.exchange.clone(), self.site.clone(), self.link.clone());
        let open = std::mem::take(&mut self.open);
        if open.is_empty() {
            return site.reqlog.end(&exchange, code);
        }
        // Without a runtime the process is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                open.close(&exchange, code).await;
                site.reqlog.end(&exchange, code);
                drop(link);
            });
        }
    }
}
