//! A live upload and those who follow it: how long after it was sent a chunk has come to each of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::bench::figures::Sample;

/// What an encoder makes of 100 ms at 3 Mbit/s, in bytes.
const CHUNK: usize = 37_500;

const INTERVAL: Duration = Duration::from_millis(100);

/// How long anybody waits for the next bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The delay that one in a hundred chunks exceeds, in ms, and a remark that tells the median.
pub(in crate::bench) fn run(
    address: SocketAddr,
    readers: u32,
    seconds: u32,
) -> Result<(Sample, String)> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let name = format!("/live-{}.m4s", LAST.fetch_add(1, Relaxed));
    let start = Instant::now();
    let chunks = seconds as usize * 10;
    let mut upload = connect(address)?;
    request(&mut upload, "PUT", &name, "Transfer-Encoding: chunked\r\n")?;
    let connections = (0..readers).map(|_| follow(address, &name));
    let connections: Vec<_> = connections.collect::<Result<_>>()?;
    let mut delays = thread::scope(|scope| {
        let reading: Vec<_> = connections
            .into_iter()
            .map(|reader| scope.spawn(move || read(reader, start, chunks)))
            .collect();
        send(&mut upload, start, chunks)?;
        let mut delays = Vec::new();
        for reader in reading {
            let one = reader
                .join()
                .map_err(|_| anyhow::anyhow!("a reader panicked"))??;
            delays.extend(one);
        }
        anyhow::Ok(delays)
    })?;
    let answer = head(&mut BufReader::new(upload))?;
    ensure!(answer.contains(" 201 "), "PUT is answered `{answer}`");
    let mut removing = connect(address)?;
    request(&mut removing, "DELETE", &name, "")?;
    head(&mut BufReader::new(removing))?;

    delays.sort_unstable();
    let at = |share: f64| {
        let index = (delays.len() as f64 * share) as usize;
        delays[index.min(delays.len() - 1)].as_secs_f64() * 1e3
    };
    let sample = Sample {
        cost: at(0.99),
        rate: delays.len() as f64 / start.elapsed().as_secs_f64(),
    };
    Ok((sample, format!("median {:.2} ms", at(0.5))))
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn request(stream: &mut TcpStream, method: &str, name: &str, fields: &str) -> Result<()> {
    let head = format!("{method} {name} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    stream.write_all(head.as_bytes()).context("cannot send")
}

/// Asks for the upload until it is there.
fn follow(address: SocketAddr, name: &str) -> Result<BufReader<TcpStream>> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut stream = connect(address)?;
        request(&mut stream, "GET", name, "")?;
        let mut reader = BufReader::with_capacity(64 << 10, stream);
        let answer = head(&mut reader)?;
        if answer.contains(" 200 ") {
            ensure!(answer.contains("chunked"), "it is not followed: {answer}");
            return Ok(reader);
        }
        thread::sleep(Duration::from_millis(5));
    }
    bail!("an upload that is under way cannot be read")
}

/// Status line and fields.
fn head(reader: &mut impl BufRead) -> Result<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        ensure!(reader.read_line(&mut text)? > 0, "no answer");
    }
    Ok(text)
}

/// Each chunk begins with the time at which it leaves.
fn send(upload: &mut TcpStream, start: Instant, chunks: usize) -> Result<()> {
    let mut chunk = vec![7; CHUNK];
    for _ in 0..chunks {
        thread::sleep(INTERVAL);
        let sent = u64::try_from(start.elapsed().as_nanos()).context("a long run")?;
        chunk[..8].copy_from_slice(&sent.to_le_bytes());
        let mut message = format!("{CHUNK:x}\r\n").into_bytes();
        message.extend_from_slice(&chunk);
        message.extend_from_slice(b"\r\n");
        upload.write_all(&message).context("cannot send a chunk")?;
    }
    upload
        .write_all(b"0\r\n\r\n")
        .context("cannot send the end")
}

/// The delay of each chunk. A body that lacks a byte is an error.
fn read(mut reader: BufReader<TcpStream>, start: Instant, chunks: usize) -> Result<Vec<Duration>> {
    let expected = vec![7; CHUNK - 8];
    let mut body = Vec::with_capacity(2 * CHUNK);
    let mut piece = Vec::new();
    let mut delays = Vec::with_capacity(chunks);
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16).context("no size of a chunk")?;
        piece.resize(size + 2, 0);
        reader.read_exact(&mut piece)?;
        // Before anything that takes the others' time.
        let arrived = start.elapsed();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&piece[..size]);
        while body.len() >= CHUNK {
            let (stamp, media) = body[..CHUNK].split_at(8);
            ensure!(media == expected, "other bytes than were sent");
            let sent = Duration::from_nanos(u64::from_le_bytes(stamp.try_into()?));
            delays.push(arrived.saturating_sub(sent));
            body.drain(..CHUNK);
        }
    }
    ensure!(
        body.is_empty() && delays.len() == chunks,
        "the body is not complete"
    );
    Ok(delays)
}
