//! The clock of the server, for players: what DASH calls UTCTiming (ISO/IEC 23009-1 5.8.4.11). It serves
//! `urn:mpeg:dash:utc:http-xsdate:2014` and `http-iso:2014` by its content, and `http-head:2014` by its `Date`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::date;

pub(super) const PATH: &[u8] = b"/_/time";

pub(super) const TYPE: &str = "text/plain; charset=utf-8";

/// Such as `2024-02-29T12:00:00.125Z`.
pub(super) fn page() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = since.map_or(0, |since| since.as_millis());
    date::rfc3339_precise(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}
