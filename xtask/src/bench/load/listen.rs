//! Clients of one live stream, and how much of it each of them gets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::fan_out::{RATE, TARGET};
use crate::bench::figures::{Done, Sample, Unit};
use crate::bench::peer::Peer;

/// What a client may lack of the stream in the time of a round, as a share: what is under way at its beginning and end.
const UNDER_WAY: f64 = 0.1;

/// How long all of them may take to come, and a few of them.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_FOR_A_FEW: Duration = Duration::from_secs(2);

/// How many come at a time: Icecast has a queue for five, and who finds it full tries again ever later.
const AT_A_TIME: u32 = 4;

/// How often a client that gets nothing looks whether it is to leave.
const GLANCE: Duration = Duration::from_millis(500);

/// Enough for a thread that reads.
const STACK: usize = 64 << 10;

struct Client {
    count: Arc<Count>,
    reading: JoinHandle<()>,
}

#[derive(Default)]
struct Count {
    /// Bytes that the client has got.
    received: AtomicU64,
    is_over: AtomicBool,
}

/// What the server takes for a gigabyte that has come to clients, all of which are there before the time begins; and a
/// remark that tells whether they got the whole stream. Ours must give it to each of them.
pub(in crate::bench) fn run(
    peer: &mut Peer,
    wanted: u32,
    seconds: u32,
) -> Result<(Sample, String)> {
    let clients = gather(peer.address(), wanted)?;
    let (begun, spent) = (Instant::now(), peer.cpu()?);
    let had = received(&clients);
    thread::sleep(Duration::from_secs(seconds.into()));
    let spent = peer.cpu()?.saturating_sub(spent);
    let parts = received(&clients)
        .into_iter()
        .zip(had)
        .map(|(now, then)| now - then);
    let parts: Vec<u64> = parts.collect();
    let time = begun.elapsed();
    stop(clients)?;

    let (remark, is_fair) = judge(&parts, wanted, RATE * time.as_secs_f64());
    ensure!(is_fair || !peer.is_ours(), "not fair: {remark}");
    let done = Done {
        requests: 0,
        bytes: parts.iter().sum(),
        time,
    };
    ensure!(done.bytes > 0, "nobody got anything");
    Ok((
        Sample::of_cpu(Unit::MillisPerGigabyte, spent, &done),
        remark,
    ))
}

/// A few after the other, each few when those before them get the stream. Who has not come in time stays away.
fn gather(address: SocketAddr, count: u32) -> Result<Vec<Client>> {
    let deadline = Instant::now() + PATIENCE;
    let mut clients = Vec::new();
    let mut left = count;
    while left > 0 && Instant::now() < deadline {
        let few: Vec<Client> = (0..left.min(AT_A_TIME))
            .map(|_| Client::start(address))
            .collect::<Result<_>>()?;
        let deadline = Instant::now() + PATIENCE_FOR_A_FEW;
        while received(&few).contains(&0) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        left = left.saturating_sub(AT_A_TIME);
        clients.extend(few);
    }
    Ok(clients)
}

fn received(clients: &[Client]) -> Vec<u64> {
    let counts = clients
        .iter()
        .map(|client| client.count.received.load(Relaxed));
    counts.collect()
}

/// How the stream was shared out, and whether each client got all of it.
fn judge(parts: &[u64], wanted: u32, sent: f64) -> (String, bool) {
    let share = |bytes: u64| bytes as f64 / sent;
    let whole = |bytes: &&u64| share(**bytes) >= 1.0 - UNDER_WAY;
    let full = parts.iter().filter(whole).count();
    let mean = share(parts.iter().sum::<u64>()) / f64::from(wanted);
    let least = share(parts.iter().copied().min().unwrap_or_default());
    let remark = format!(
        "{full} of {wanted} clients got the whole stream, {:.0} % on average, {:.0} % at least",
        mean * 100.0,
        least * 100.0
    );
    (remark, full == wanted as usize)
}

fn stop(clients: Vec<Client>) -> Result<()> {
    for client in &clients {
        client.count.is_over.store(true, Relaxed);
    }
    clients.into_iter().try_for_each(|client| {
        let ended = client.reading.join();
        ended.map_err(|_| anyhow::anyhow!("a client panicked"))
    })
}

impl Client {
    fn start(address: SocketAddr) -> Result<Client> {
        let count = Arc::new(Count::default());
        let counted = count.clone();
        let reading = thread::Builder::new().stack_size(STACK);
        // Who cannot come, or has to leave, has got what it has got.
        let reading = reading.spawn(move || drop(listen(address, &counted)));
        Ok(Client {
            count,
            reading: reading.context("no thread for a client")?,
        })
    }
}

fn listen(address: SocketAddr, count: &Count) -> io::Result<()> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(GLANCE))?;
    write!(socket, "GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut block = vec![0; 64 << 10];
    while !count.is_over.load(Relaxed) {
        // Head and frames of chunks count too: they are less than one in a thousand.
        match socket.read(&mut block) {
            Ok(0) => break,
            Ok(length) => {
                count.received.fetch_add(length as u64, Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_must_get_the_stream() {
        let fair = |parts: &[u64]| judge(parts, 3, 1000.0).1;
        assert!(fair(&[1000, 960, 1040]));
        assert!(!fair(&[1000, 1000, 500]));
        assert!(!fair(&[1000, 1000]), "one stayed away");
        let (remark, _) = judge(&[1000, 0], 2, 1000.0);
        assert_eq!(
            remark,
            "1 of 2 clients got the whole stream, 50 % on average, 0 % at least"
        );
    }
}
