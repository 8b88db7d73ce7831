//! What a connection costs in memory while nothing happens on it.

use std::io::Write;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::bytes;
use crate::bench::figures::Sample;
use crate::bench::memory::Memory;
use crate::bench::site::Site;

const PATIENCE: Duration = Duration::from_secs(10);

/// The growth of the process for each connection that is opened, asks once and stays. The process must be a new one:
/// what connections before it gave back would hide what these take. Also says what the growth is by PSS.
pub(in crate::bench) fn run(
    process: u32,
    address: SocketAddr,
    site: &Site,
    connections: u32,
) -> Result<(Sample, String)> {
    // What the first connection brings with it is not for each.
    let first = open(address, site)?;
    let before = settled(process)?;
    let streams = (0..connections)
        .map(|_| open(address, site))
        .collect::<Result<Vec<_>>>()?;
    let after = settled(process)?;
    for stream in streams.iter().chain([&first]) {
        check_open(stream)?;
    }
    let each = |before: u64, after: u64| (after as f64 - before as f64) / f64::from(connections);
    let sample = Sample {
        cost: each(before.resident, after.resident),
        rate: connections.into(),
    };
    let proportional = each(before.proportional, after.proportional);
    Ok((sample, format!("{proportional:.0} bytes by PSS")))
}

/// A connection that has asked once and been answered.
pub(super) fn open(address: SocketAddr, site: &Site) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)
        .context("cannot connect; `ulimit -n` may be too low for so many connections")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let target = site.target(0);
    // In one piece, as clients do: `write!` would send a packet for each part.
    let head = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(head.as_bytes())?;

    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    bytes::compare(reader.take(site.length()), site.bytes(0))
        .context("the first answer on a connection")?;
    Ok(stream)
}

/// The memory when it has stopped changing: some give it back a little later.
fn settled(process: u32) -> Result<Memory> {
    let start = Instant::now();
    let mut last = Memory::of(process)?;
    loop {
        thread::sleep(Duration::from_millis(300));
        let memory = Memory::of(process)?;
        if memory == last || start.elapsed() > PATIENCE {
            return Ok(memory);
        }
        last = memory;
    }
}

fn check_open(stream: &TcpStream) -> Result<()> {
    stream.set_nonblocking(true)?;
    let waits = stream
        .peek(&mut [0])
        .is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    ensure!(waits, "the server ended a connection that was to be idle");
    Ok(())
}
