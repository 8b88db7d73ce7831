//! Uploads: a body sent as fast as the server takes it, then what was stored is compared.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::bench::bytes;
use crate::bench::figures::Done;
use crate::bench::site::Site;

const NAME: &str = "upload.bin";

const BUFFER: usize = 1 << 20;

/// How long a server may take for the next bytes, or to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stores the site's file again and again until the time is up, once at least. Only the time of uploads counts.
pub(in crate::bench) fn run(address: SocketAddr, site: &Site, seconds: u32) -> Result<Done> {
    let limit = Duration::from_secs(seconds.into());
    let mut done = Done {
        requests: 0,
        bytes: 0,
        time: Duration::ZERO,
    };
    while done.requests == 0 || done.time < limit {
        let start = Instant::now();
        upload(address, site)?;
        done.time += start.elapsed();
        done.requests += 1;
        done.bytes += site.length();
        check_stored(site)?;
    }
    Ok(done)
}

fn upload(address: SocketAddr, site: &Site) -> Result<()> {
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = site.length();
    let head = format!(
        "PUT /{NAME} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // A server that refuses does not read on: its answer says more than the broken pipe.
    let sent = send(&mut stream, head.as_bytes(), site.bytes(0));
    let mut answer = Vec::new();
    let answered = stream.read_to_end(&mut answer);
    match status(&answer) {
        Some(200 | 201 | 204) => sent.context("cannot send the body"),
        Some(status) => bail!("PUT is answered with status {status}"),
        None => {
            sent.context("cannot send the body")?;
            answered.context("no answer to PUT")?;
            bail!("no answer to PUT")
        }
    }
}

fn send(stream: &mut TcpStream, head: &[u8], mut body: impl Read) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    stream.write_all(head)?;
    loop {
        buffer.clear();
        body.by_ref().take(BUFFER as u64).read_to_end(&mut buffer)?;
        if buffer.is_empty() {
            return Ok(());
        }
        stream.write_all(&buffer)?;
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.1 ")?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}

/// Compares what is stored with what was sent, and removes it.
fn check_stored(site: &Site) -> Result<()> {
    let path = site.uploads().join(NAME);
    let file = File::open(&path).context("nothing is stored under the name of the upload")?;
    bytes::compare(file, site.bytes(0)).context("what is stored")?;
    fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    for left in fs::read_dir(site.uploads())? {
        let left = left?.path();
        // httpout's folder for uploads that are not complete.
        let is_empty_folder = fs::read_dir(&left).is_ok_and(|mut entries| entries.next().is_none());
        ensure!(is_empty_folder, "the server left `{}`", left.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read() {
        assert_eq!(status(b"HTTP/1.1 201 Created\r\n\r\n"), Some(201));
        assert_eq!(status(b"HTTP/1.1 2"), None);
        assert_eq!(status(b""), None);
    }
}
