//! The server under demonstration or measurement: started, and waited for until it listens.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::child::Running;

/// Compiling the plugins is the longest part of a start.
const START: Duration = Duration::from_secs(60);

/// A server that listens.
pub(crate) struct Httpout {
    running: Running,
    address: SocketAddr,
    /// Where else it listens.
    lines: mpsc::Receiver<String>,
}

impl Httpout {
    /// Starts `command` and waits for its line `listening on http://ADDRESS/`.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut running = Running::start(command.stdout(Stdio::piped()))?;
        let stdout = running
            .take_stdout()
            .context("the server's standard output is not ours")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || follow(stdout, &sender));
        let line = match receiver.recv_timeout(START) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Timeout) => bail!(
                "`{}` did not say where it listens within {} s",
                running.shown(),
                START.as_secs()
            ),
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!(
                "`{}` ended before it listened: {}",
                running.shown().to_owned(),
                running.wait()?
            ),
        };
        let address = parse_address(&line)
            .with_context(|| format!("`{line}` does not name the server's address"))?;
        Ok(Self {
            running,
            address,
            lines: receiver,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens besides, in the order of its ports.
    pub(crate) fn next_address(&self) -> Result<SocketAddr> {
        let line = self.lines.recv_timeout(START)?;
        parse_address(&line).with_context(|| format!("`{line}` does not name an address"))
    }

    pub(crate) fn into_running(self) -> Running {
        self.running
    }

    pub(crate) fn wait(self) -> Result<ExitStatus> {
        self.running.wait()
    }
}

const LISTENING: &str = "listening on ";

/// Sends the line that names the address, and reads on: a full pipe would stop the server.
fn follow(stdout: impl Read, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if line.starts_with(LISTENING) {
            // Nobody may wait for a further address.
            let _ = sender.send(line);
        } else {
            println!("{line}");
        }
    }
}

fn parse_address(line: &str) -> Option<SocketAddr> {
    let url = line.strip_prefix(LISTENING)?;
    url.strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?
        .trim_end()
        .strip_suffix('/')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line() {
        let address = parse_address("listening on http://127.0.0.1:8080/").unwrap();
        assert_eq!(address, ([127, 0, 0, 1], 8080).into());
        assert_eq!(
            parse_address("listening on https://127.0.0.1:8080/"),
            Some(address)
        );
        assert!(parse_address("listening on https://localhost/").is_none());
    }
}
