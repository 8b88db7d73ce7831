//! Clients of one live stream, and how much of it each of them gets.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::bench::fan_out::{self, RATE, TARGET};
use crate::bench::figures::{Done, Sample, Unit};
use crate::bench::peer::Peer;

/// What a client may lack of the stream in the time of a round, as a share: what is under way at its beginning and end.
const UNDER_WAY: f64 = 0.1;

/// How long all of them may take to come, and a few of them.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_FOR_A_FEW: Duration = Duration::from_secs(2);

/// How many come at a time: Icecast has a queue for five, and who finds it full tries again ever later.
const AT_A_TIME: usize = 4;

/// Between two looks at what has come. Nobody is woken by each packet: clients of a server are elsewhere, and do not take
/// its time.
const BETWEEN: Duration = Duration::from_millis(10);

struct Client {
    /// None once the server has sent it away.
    socket: Option<TcpStream>,
    /// Bytes that it has got.
    received: u64,
}

struct Clients {
    all: Vec<Client>,
    block: Vec<u8>,
}

/// What the server takes for a gigabyte that has come to clients, all of which are there before the time begins; and a
/// remark that tells whether they got the whole stream. Ours must give it to each of them.
pub(in crate::bench) fn run(
    peer: &mut Peer,
    wanted: u32,
    seconds: u32,
) -> Result<(Sample, String)> {
    let mut clients = Clients::gather(peer.address(), wanted as usize)?;
    let (begun, spent) = (Instant::now(), peer.cpu()?);
    let had = clients.received();
    while begun.elapsed() < Duration::from_secs(seconds.into()) {
        clients.read();
    }
    let (time, spent) = (begun.elapsed(), peer.cpu()?.saturating_sub(spent));
    let parts = clients.received().into_iter().zip(had);
    let parts: Vec<u64> = parts.map(|(now, then)| now - then).collect();

    let (remark, is_fair) = judge(&parts, wanted, RATE * time.as_secs_f64());
    ensure!(is_fair || !peer.is_ours(), "not fair: {remark}");
    let done = Done {
        requests: 0,
        bytes: parts.iter().sum(),
        time,
    };
    ensure!(done.bytes > 0, "nobody got anything");
    let sample = Sample::of_cpu(Unit::MillisPerGigabyte, spent, &done);
    Ok((sample, remark))
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

impl Clients {
    /// A few after the other, each few when those before them get the stream. Who has not come in time stays away.
    fn gather(address: SocketAddr, wanted: usize) -> Result<Clients> {
        let mut clients = Clients {
            all: Vec::new(),
            block: vec![0; 256 << 10],
        };
        let deadline = Instant::now() + PATIENCE;
        while clients.all.len() < wanted && Instant::now() < deadline {
            let first = clients.all.len();
            for _ in first..wanted.min(first + AT_A_TIME) {
                clients.all.push(Client::start(address)?);
            }
            let deadline = Instant::now() + PATIENCE_FOR_A_FEW;
            while clients.received()[first..].contains(&0) && Instant::now() < deadline {
                clients.read();
            }
        }
        Ok(clients)
    }

    /// Reads what has come to all of them, after a pause.
    fn read(&mut self) {
        thread::sleep(BETWEEN);
        for client in &mut self.all {
            client.read(&mut self.block);
        }
    }

    fn received(&self) -> Vec<u64> {
        self.all.iter().map(|client| client.received).collect()
    }
}

impl Client {
    fn start(address: SocketAddr) -> Result<Client> {
        let mut socket = fan_out::connect(address)?;
        write!(socket, "GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        socket.set_nonblocking(true)?;
        Ok(Client {
            socket: Some(socket),
            received: 0,
        })
    }

    fn read(&mut self, block: &mut [u8]) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        // Head and frames of chunks count too: they are less than one in a thousand.
        match socket.read(block) {
            Ok(length @ 1..) => self.received += length as u64,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.socket = None,
        }
    }
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
