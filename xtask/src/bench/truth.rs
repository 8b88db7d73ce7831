//! Whether a server answers with the right thing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::site;

/// Asks once and compares status, fields and every byte of the body.
pub(super) fn check(address: SocketAddr, body: &[u8], field: Option<(&str, &str)>) -> Result<()> {
    let response = ask(address).context("no response")?;
    compare(&response, body, field)
}

fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let target = site::target();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    Ok(response)
}

fn compare(response: &[u8], body: &[u8], field: Option<(&str, &str)>) -> Result<()> {
    let end = response
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("the response has no head")?;
    let head = String::from_utf8_lossy(&response[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    ensure!(
        status.starts_with("HTTP/1.1 200"),
        "the status is `{status}`"
    );

    let fields: Vec<(&str, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let has = |name: &str, value: &str| {
        fields
            .iter()
            .any(|(present, given)| present.eq_ignore_ascii_case(name) && *given == value)
    };
    let length = body.len().to_string();
    let expected = [Some(("content-length", length.as_str())), field];
    for (name, value) in expected.into_iter().flatten() {
        ensure!(has(name, value), "no field `{name}: {value}` in: {head}");
    }
    ensure!(
        response[end + 4..] == *body,
        "the body differs from the file"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Gpac: foo\r\n\r\nab";

    #[test]
    fn only_the_right_response_is_true() {
        assert!(compare(RESPONSE, b"ab", None).is_ok());
        assert!(compare(RESPONSE, b"ab", Some(("x-gpac", "foo"))).is_ok());
        assert!(compare(RESPONSE, b"ab", Some(("x-gpac", "bar"))).is_err());
        assert!(compare(RESPONSE, b"ax", None).is_err());
        assert!(compare(RESPONSE, b"abc", None).is_err());
        assert!(compare(b"HTTP/1.1 404 Not Found\r\n\r\n", b"", None).is_err());
        assert!(compare(b"", b"", None).is_err());
    }
}
