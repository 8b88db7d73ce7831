//! One live stream to many clients: ours beside Icecast, GPAC and a relay of a few lines for node. The source is ours:
//! 8 Mbit/s, a piece each 40 ms.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::nginx::{free_address, wait};
use super::{Bench, gpac, node, site};
use crate::child::{self, Running};
use crate::httpout::Httpout;
use crate::{paths, tools};

/// Where clients find the stream.
pub(super) const TARGET: &str = "/live.ts";

/// Of MPEG-2 TS, as GPAC looks for them.
const PACKETS: usize = 213;
const PACKET: usize = 188;
const PERIOD: Duration = Duration::from_millis(40);

/// Bytes of the stream in a second.
pub(super) const RATE: f64 = (PACKETS * PACKET * 25) as f64;

const PATIENCE: Duration = Duration::from_secs(10);

/// How often a source whose server does not read looks whether it is over.
const GLANCE: Duration = Duration::from_millis(200);

/// A server, where it listens, and the stream that it is given.
type Fed = (Running, SocketAddr, Feed);

/// A stream into a server, until it is dropped.
pub(super) struct Feed {
    is_over: Arc<AtomicBool>,
    feeding: Option<JoinHandle<()>>,
}

/// Our server, which connects to the source.
pub(super) fn start_httpout(bench: &Bench) -> Result<Fed> {
    let source = listener()?;
    let input = format!("tcp://{}", source.local_addr()?);
    let log = site::work_folder()?.join("httpout.log");
    let mut command = bench.cores.server(&bench.httpout);
    command
        .args(["--port=0", "--ifce=127.0.0.1", "--maxc=0", "--maxp=0"])
        .args(["-i", &input, "-o", "http://localhost/live.ts"])
        // As much as Icecast is given.
        .arg("--max_async_buf=4194304")
        .current_dir(paths::root())
        .stderr(Stdio::from(child::log_file(&log)?));
    let server = Httpout::start(&mut command)?;
    let address = server.address();
    let feed = Feed::accept(&source)?;
    Ok((server.into_running(), address, feed))
}

/// A relay for node, which connects to the source.
pub(super) fn start_node(bench: &Bench) -> Result<Fed> {
    let source = listener()?;
    let port = source.local_addr()?.port().to_string();
    let (running, address) = node::start(&bench.cores, "fan_out.mjs", &[OsStr::new(&port)])?;
    let feed = Feed::accept(&source)?;
    Ok((running, address, feed))
}

/// GPAC, which connects to the source.
pub(super) fn start_gpac(bench: &Bench) -> Result<Fed> {
    let source = listener()?;
    let address = free_address()?;
    let input = format!("tcp://{}/:ext=ts", source.local_addr()?);
    let output = format!("http://{address}{TARGET}:{}", gpac::OPTIONS);
    let mut running = gpac::start(&bench.cores, &["-i", &input, "-o", &output])?;
    let feed = Feed::accept(&source)?;
    wait(&mut running, address)?;
    Ok((running, address, feed))
}

/// Icecast, to which the source connects.
pub(super) fn start_icecast(bench: &Bench) -> Result<Fed> {
    let address = free_address()?;
    let file = site::work_folder()?.join("icecast.xml");
    let configuration = include_str!("icecast.xml").replace("PORT", &address.port().to_string());
    fs::write(&file, configuration).context("cannot write the configuration of Icecast")?;
    let log = site::work_folder()?.join("icecast.log");
    let mut command = bench.cores.server(&tools::require("icecast2", "icecast2")?);
    command
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::from(child::log_file(&log)?));
    let mut running = Running::start(&mut command)?;
    wait(&mut running, address)?;
    let mut socket = connect(address)?;
    // `source:bench`
    socket.write_all(
        b"SOURCE /live.ts HTTP/1.0\r\nAuthorization: Basic c291cmNlOmJlbmNo\r\nContent-Type: video/mp2t\r\n\r\n",
    )?;
    let mut answer = [0; 15];
    socket.read_exact(&mut answer)?;
    ensure!(answer.ends_with(b"200 OK"), "Icecast refuses the source");
    Ok((running, address, Feed::start(socket)?))
}

/// Fails unless clients get the stream.
pub(super) fn check(address: SocketAddr) -> Result<()> {
    let mut socket = connect(address)?;
    write!(socket, "GET {TARGET} HTTP/1.0\r\n\r\n")?;
    let mut start = [0; 12 + PACKETS * PACKET];
    socket.read_exact(&mut start).context("no stream comes")?;
    ensure!(start[8..].starts_with(b" 200"), "the stream is refused");
    Ok(())
}

/// A connection, on which everything has an end.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).context("cannot connect")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn listener() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").context("no free port on the loopback interface")
}

impl Feed {
    /// Waits for the server that asks for the stream.
    fn accept(source: &TcpListener) -> Result<Feed> {
        source.set_nonblocking(true)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok((socket, _)) = source.accept() {
                socket.set_nonblocking(false)?;
                return Feed::start(socket);
            }
            thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("it does not connect to the source")
    }

    fn start(socket: TcpStream) -> Result<Feed> {
        socket.set_write_timeout(Some(GLANCE))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let feeding = thread::spawn(move || feed(socket, &told));
        Ok(Feed {
            is_over,
            feeding: Some(feeding),
        })
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

/// Sends as an encoder does: by the clock, and later where the server is slow to read.
fn feed(mut socket: TcpStream, is_over: &AtomicBool) {
    let piece = null_packets();
    let mut rest = &piece[..];
    let mut due = Instant::now();
    while !is_over.load(Relaxed) {
        match socket.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
        if rest.is_empty() {
            rest = &piece;
            due += PERIOD;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
}

/// MPEG-2 TS that holds nothing.
fn null_packets() -> Vec<u8> {
    let mut packet = [0xff; PACKET];
    packet[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    packet.repeat(PACKETS)
}
