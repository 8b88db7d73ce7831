//! A server that takes what comes, answers late, and writes down how it came.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::record::requests::{Due, Requests};
use crate::record::tape::{Event, Tape};

/// A client that is silent for so long waits for its answer: what it does before, it does without.
const PATIENCE: Duration = Duration::from_millis(100);

/// More than any chunk that the sessions make.
const PACKET: usize = 1 << 20;

pub(crate) struct Sink {
    address: SocketAddr,
    tape: Arc<Mutex<Tape>>,
}

impl Sink {
    pub(crate) fn start() -> io::Result<Sink> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let tape = Arc::new(Mutex::new(Tape::default()));
        let shared = tape.clone();
        thread::spawn(move || {
            for (connection, socket) in (1..).zip(listener.incoming().map_while(Result::ok)) {
                lock(&shared).opened();
                let tape = shared.clone();
                thread::spawn(move || {
                    // Whatever ends it is the client's end of it.
                    let _ = serve(connection, socket, &tape);
                    lock(&tape).add(connection, Event::Closed);
                });
            }
        });
        Ok(Sink { address, tape })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether a file whose name ends so is being uploaded, and some of it has come.
    pub(crate) fn has_body_of(&self, name: &str) -> bool {
        lock(&self.tape).has_body_of(name)
    }

    /// Whether all connections have been closed.
    pub(crate) fn is_quiet(&self) -> bool {
        lock(&self.tape).open == 0
    }

    /// What was recorded, in the format of `tests/data/ingest/README.md`.
    pub(crate) fn into_text(self) -> String {
        lock(&self.tape).write_down()
    }
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().expect("no holder panics")
}

fn serve(connection: usize, mut socket: TcpStream, tape: &Mutex<Tape>) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut requests = Requests::new(connection);
    let mut due = Vec::new();
    let mut buffer = vec![0; PACKET];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let pieces = requests.take(&buffer[..count], &mut due);
                lock(tape).add(connection, Event::Packet(pieces));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !due.is_empty() {
                    let due = due.remove(0);
                    lock(tape).add(connection, Event::Answered(due));
                    socket.write_all(answer(due))?;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

fn answer(due: Due) -> &'static [u8] {
    match due {
        Due::Continue => b"HTTP/1.1 100 Continue\r\n\r\n",
        Due::Answer => b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    }
}
