//! One HTTP request and what is known of its answer, as server and plugins share it.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use http::request::Parts;

/// One HTTP request, and how far its answer has got.
#[derive(Debug)]
pub struct Exchange {
    /// Unique in this run of the server.
    pub id: u64,
    /// The connection that brought the request.
    pub connection: Connection,
    /// Method, target, version and fields as received.
    pub head: Parts,
    /// The path of the target, decoded and normalized: `/`, or names each behind a `/`. Any bytes but NUL.
    pub path: Vec<u8>,
    /// Length of the request body in bytes; none when it is chunked.
    pub body_length: Option<u64>,
    /// What authentication found, before any plugin is asked.
    pub auth: Auth,
    /// When the head had been received.
    pub received: Instant,
    /// The status of the response; 0 before it is known.
    pub status: AtomicU16,
    /// Bytes of the response body handed to the connection until now.
    pub bytes_sent: AtomicU64,
    /// Bytes of the request body taken from the connection until now.
    pub bytes_received: AtomicU64,
    /// A plugin wants to know the end: a call that runs when the client leaves is not given up.
    pub(crate) is_closed_by_plugins: AtomicBool,
    /// What the plugins of a chain leave for each other, and for the server.
    pub(crate) attributes: Mutex<Vec<(String, String)>>,
}

/// The connection of a request.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// Unique in this run of the server (the documented `netid`).
    pub id: u64,
    /// Address and port of the client.
    pub peer: SocketAddr,
    /// Address and port of the socket that accepted it.
    pub local: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// The documented `auth_code`: what the server found out about the client.
#[derive(Debug, Clone)]
pub struct Auth {
    /// 200 identified or no rule applies, 401 no identification, 403 failure.
    pub code: u16,
    /// Who was identified.
    pub user: Option<String>,
}

impl Auth {
    /// No rule applies to the path of the request.
    pub fn not_required() -> Auth {
        Auth {
            code: 200,
            user: None,
        }
    }
}

impl Exchange {
    /// An exchange whose head has just been received.
    pub fn new(
        id: u64,
        connection: Connection,
        head: Parts,
        path: Vec<u8>,
        body_length: Option<u64>,
    ) -> Exchange {
        Exchange {
            id,
            connection,
            head,
            path,
            body_length,
            auth: Auth::not_required(),
            received: Instant::now(),
            status: AtomicU16::new(0),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            is_closed_by_plugins: AtomicBool::new(false),
            attributes: Mutex::new(Vec::new()),
        }
    }

    /// The value of an attribute that a plugin has set.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let attributes = self.attributes.lock().expect("never poisoned");
        let found = attributes.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    /// Counts bytes of the request body that have come from the connection.
    pub fn add_bytes_received(&self, count: u64) {
        self.bytes_received.fetch_add(count, Relaxed);
    }

    /// Counts bytes of the response body that the connection has taken.
    pub fn add_bytes_sent(&self, count: u64) {
        self.bytes_sent.fetch_add(count, Relaxed);
    }
}
