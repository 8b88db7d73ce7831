//! Trouble of clients that write. Encoders do not look at what they are answered, so the log says it: who, what, how
//! often, and the option that mends it.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{LazyLock, Mutex};

use ::http::{Method, StatusCode, header};
use httpout_plugins::Exchange;

use crate::error::Reject;
use crate::log::Complaint;
use crate::mode;

/// The most clients and kinds of trouble that are told apart; those on top are one.
const TOLD_APART: usize = 1000;

/// So many requests in a row without credentials are no client that answers when it is asked for them.
const UNANSWERED: u32 = 3;

/// Of each client, what its requests were answered.
static TROUBLE: LazyLock<Mutex<HashMap<(IpAddr, StatusCode), Trouble>>> =
    LazyLock::new(Mutex::default);

static OTHERS: Complaint = Complaint::new();

struct Trouble {
    complaint: Complaint,
    in_a_row: u32,
}

/// Says that a request which would change something was refused.
pub(crate) fn refused(exchange: &Exchange, reject: &Reject) {
    let status = reject.status();
    // Encoders remove old segments that they find gone; that is no trouble.
    if exchange.head.method == Method::DELETE && status == StatusCode::NOT_FOUND {
        return tracing::debug!(request = exchange.id, "{status}: {reject}");
    }
    let remedy = remedy(reject, exchange).map_or(String::new(), |remedy| format!(": {remedy}"));
    say(exchange, status, 1, &format_args!("{reject}{remedy}"));
}

/// Says that a plugin has refused it, if it has.
pub(crate) fn asked_plugins(exchange: &Exchange, reply: Option<StatusCode>) {
    if !mode::changes_something(&exchange.head.method) {
        return;
    }
    let has_credentials = exchange.head.headers.contains_key(header::AUTHORIZATION);
    if has_credentials {
        let mut trouble = TROUBLE.lock().expect("no holder panics");
        if let Some(trouble) = trouble.get_mut(&(peer(exchange), StatusCode::UNAUTHORIZED)) {
            trouble.in_a_row = 0;
        }
    }
    let Some(status) = reply.filter(|status| status.as_u16() >= 400) else {
        return;
    };
    match status == StatusCode::UNAUTHORIZED && !has_credentials {
        true => {
            let reason = "a plugin asks for credentials, and the client sends none";
            say(exchange, status, UNANSWERED, &reason);
        }
        false => {
            let reason = format_args!("a plugin answered {status}");
            say(exchange, status, 1, &reason);
        }
    }
}

/// What the user can do about it.
fn remedy(reject: &Reject, exchange: &Exchange) -> Option<String> {
    let text = match reject {
        Reject::MethodNotAllowed { .. } => {
            "option `wdir` names the directory that clients may write to"
        }
        Reject::TooLarge { .. } => "option `maxs` sets the limit, 0 is none",
        Reject::MemoryFull { .. } => {
            "option `gmem_max` sets the limit, and `max_cache_segs` how many segments stay; what no manifest names \
             stays until it is deleted"
        }
        Reject::StorageFull => "the disk of option `wdir` is full",
        Reject::Unwritable => {
            "the user that the server runs as needs the right to write below `wdir`"
        }
        Reject::TooSlow(_) => "option `timeout` sets the limit, 0 is none",
        Reject::Incomplete => {
            let bytes = exchange.bytes_received.load(Relaxed);
            return Some(format!("{bytes} bytes had come, and readers were cut"));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// At most once a second for each client and status, from the `first` of a row on.
fn say(exchange: &Exchange, status: StatusCode, first: u32, reason: &dyn Display) {
    let peer = peer(exchange);
    let times = {
        let mut trouble = TROUBLE.lock().expect("no holder panics");
        if trouble.len() >= TOLD_APART {
            trouble.retain(|_, one| one.complaint.is_recent());
        }
        if trouble.len() >= TOLD_APART && !trouble.contains_key(&(peer, status)) {
            OTHERS.times()
        } else {
            let one = trouble.entry((peer, status)).or_insert(Trouble {
                complaint: Complaint::new(),
                in_a_row: 0,
            });
            one.in_a_row = one.in_a_row.saturating_add(1);
            match one.in_a_row < first {
                true => None,
                false => one.complaint.times(),
            }
        }
    };
    if let Some(times) = times {
        let (request, method) = (exchange.id, &exchange.head.method);
        let path = match exchange.path.is_empty() {
            // As it came, where it is malformed.
            true => exchange.head.uri.path().as_bytes().escape_ascii(),
            false => exchange.path.escape_ascii(),
        };
        tracing::warn!(request, times, "{method} {path} of {peer} failed: {reason}");
    }
}

fn peer(exchange: &Exchange) -> IpAddr {
    exchange.connection.peer.ip().to_canonical()
}
