//! One live stream to many clients: ours beside Icecast and a relay of a few lines for node. The source is ours: 8 Mbit/s,
//! a piece each 40 ms.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::figures::Done;
use super::site;
use crate::child::{self, Running};
use crate::httpout::Httpout;
use crate::paths;

/// Where clients find the stream.
pub(super) const TARGET: &str = "/live.ts";

const PIECE: usize = 40_000;
const PERIOD: Duration = Duration::from_millis(40);

const PATIENCE: Duration = Duration::from_secs(10);

/// A stream into a server, until it is dropped.
pub(super) struct Feed {
    is_over: Arc<AtomicBool>,
    feeding: Option<JoinHandle<()>>,
}

/// Our server, which connects to the source.
pub(super) fn start_httpout(mut command: Command) -> Result<(Running, SocketAddr, Feed)> {
    let source = listener()?;
    let input = format!("tcp://{}", source.local_addr()?);
    let log = site::work_folder()?.join("httpout.log");
    command
        .args(["--port=0", "--ifce=127.0.0.1", "--maxc=0", "--maxp=0"])
        .args(["-i", &input, "-o", "http://localhost/live.ts"])
        .current_dir(paths::root())
        .stderr(Stdio::from(child::log_file(&log)?));
    let server = Httpout::start(&mut command)?;
    let address = server.address();
    let (socket, _) = source.accept().context("the server does not connect")?;
    Ok((server.into_running(), address, Feed::start(socket)))
}

/// A relay for node, which connects to the source.
pub(super) fn start_node(mut command: Command) -> Result<(Running, SocketAddr, Feed)> {
    let source = listener()?;
    let address = listener()?.local_addr()?;
    let script = site::work_folder()?.join("relay.js");
    fs::write(&script, include_str!("fan_out_relay.js")).context("cannot write the relay")?;
    let ports = [source.local_addr()?.port(), address.port()].map(|port| port.to_string());
    let running = Running::start(command.arg(&script).args(ports))?;
    let (socket, _) = source.accept().context("the relay does not connect")?;
    connect(address)?;
    Ok((running, address, Feed::start(socket)))
}

/// Icecast, to which the source connects.
pub(super) fn start_icecast(mut command: Command) -> Result<(Running, SocketAddr, Feed)> {
    let address = listener()?.local_addr()?;
    let file = site::work_folder()?.join("icecast.xml");
    let configuration = include_str!("icecast.xml").replace("PORT", &address.port().to_string());
    fs::write(&file, configuration).context("cannot write the configuration of Icecast")?;
    // It gives up root, and is to read it then.
    let log = site::work_folder()?.join("icecast.log");
    let running = Running::start(
        command
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::from(child::log_file(&log)?)),
    )?;
    let mut socket = connect(address)?;
    // `source:bench`
    socket.write_all(
        b"SOURCE /live.ts HTTP/1.0\r\nAuthorization: Basic c291cmNlOmJlbmNo\r\nContent-Type: video/mp2t\r\n\r\n",
    )?;
    let mut answer = [0; 15];
    socket.read_exact(&mut answer)?;
    ensure!(
        answer.ends_with(b"200 OK") || answer.windows(3).any(|code| code == b"200"),
        "Icecast refuses the source"
    );
    Ok((running, address, Feed::start(socket)))
}

/// Fails unless clients get the stream.
pub(super) fn check(address: SocketAddr) -> Result<()> {
    let mut socket = connect(address)?;
    write!(socket, "GET {TARGET} HTTP/1.0\r\n\r\n")?;
    let mut start = [0; 12 + PIECE];
    socket.read_exact(&mut start).context("no stream comes")?;
    ensure!(start[8..].starts_with(b" 200"), "the stream is refused");
    Ok(())
}

/// Fails unless all clients have got the stream, but for what is under way and what came before they did.
pub(super) fn check_amount(done: &Done, clients: u32) -> Result<()> {
    let rate = PIECE as f64 / PERIOD.as_secs_f64();
    let expected = rate * done.time.as_secs_f64() * f64::from(clients);
    let share = done.bytes as f64 / expected;
    ensure!(
        (0.7..1.2).contains(&share),
        "{:.0} % of the stream have come",
        share * 100.0
    );
    Ok(())
}

fn listener() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").context("no free port on the loopback interface")
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(address) {
            Ok(socket) => {
                socket.set_read_timeout(Some(PATIENCE))?;
                return Ok(socket);
            }
            Err(error) if Instant::now() > deadline => {
                return Err(error).context("it does not listen");
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

impl Feed {
    fn start(mut socket: TcpStream) -> Feed {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let piece = vec![0x47; PIECE];
        let feeding = thread::spawn(move || {
            let mut due = Instant::now();
            while !told.load(Relaxed) && socket.write_all(&piece).is_ok() {
                due += PERIOD;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        });
        Feed {
            is_over,
            feeding: Some(feeding),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(feeding) = self.feeding.take() {
            let _ = feeding.join();
        }
    }
}
