//! The real binary as a child process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for a fact before it fails. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It ends with this value; if the test fails, its log is shown.
pub(crate) struct Server {
    child: Child,
    /// Where it listens first.
    pub(crate) address: SocketAddr,
    is_secure: bool,
    /// Where it says where else.
    out: BufReader<ChildStdout>,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

/// The command with these arguments.
pub(crate) fn command(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_httpout"));
    command.args(arguments).stdin(Stdio::null());
    // What the user of this machine has compiled is no part of a test.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    command(arguments).output().expect("the binary runs")
}

impl Server {
    /// Starts a server on a free port of loopback.
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Server {
        // A busy machine may see the end of a test's last connections late: without limits, unless a test sets them.
        let mut command = command(["--port=0", "--ifce=127.0.0.1", "--maxc=0", "--maxp=0"]);
        Server::spawn(command.args(arguments))
    }

    /// Starts a command that says where it listens.
    pub(crate) fn spawn(command: &mut Command) -> Server {
        Server::spawn_with_stderr(command, Stdio::piped())
    }

    /// Starts a command whose log goes elsewhere.
    pub(crate) fn spawn_with_stderr(command: &mut Command, stderr: Stdio) -> Server {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Log::default());
        if let Some(stderr) = child.stderr.take() {
            let reader = log.clone();
            std::thread::spawn(move || reader.follow(stderr));
        }
        let mut out = BufReader::new(child.stdout.take().expect("is piped"));
        let Some((is_secure, address)) = read_listener(&mut out) else {
            let _ = child.kill();
            panic!("no address; log:\n{}", log.text());
        };
        Server {
            child,
            address,
            is_secure,
            out,
            log,
        }
    }

    /// What the server reads as its standard input, where that was piped.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("is piped")
    }

    /// The next place where the server says it listens, in the order of the command line: whether with TLS, and where.
    pub(crate) fn next_listener(&mut self) -> (bool, SocketAddr) {
        read_listener(&mut self.out).expect("the server listens there too")
    }

    /// The URL of a target, which begins with a slash.
    pub(crate) fn url(&self, target: &str) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}{target}", self.address)
    }

    /// Waits until the log holds a text; the log up to then.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        self.wait_for_times(text, 1)
    }

    /// Waits until the log holds a text that often; the log up to then.
    pub(crate) fn wait_for_times(&self, text: &str, times: usize) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.log.text.lock().expect("no holder panics");
        while log.matches(text).count() < times {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(log);
                panic!("no {text:?} in the log");
            }
            (log, _) = self
                .log
                .grown
                .wait_timeout(log, left)
                .expect("no holder panics");
        }
        log.clone()
    }

    /// What the server has said until now.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// What the descriptors of the process lead to.
    pub(crate) fn open_files(&self) -> Vec<String> {
        let directory = format!("/proc/{}/fd", self.child.id());
        let entries = std::fs::read_dir(directory).expect("the process runs");
        let targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets
            .map(|target| target.to_string_lossy().into_owned())
            .collect()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", name, &id]).status();
        assert!(killed.expect("kill runs").success());
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("is a child of ours") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A line `listening on http://127.0.0.1:8080/`.
fn read_listener(out: &mut impl BufRead) -> Option<(bool, SocketAddr)> {
    let mut line = String::new();
    out.read_line(&mut line).expect("standard output is text");
    let (scheme, rest) = line.strip_prefix("listening on ")?.split_once("://")?;
    let address = rest.split('/').next()?.parse().ok()?;
    Some((scheme == "https", address))
}

impl Log {
    fn follow(&self, stderr: impl Read) {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let mut text = self.text.lock().expect("no holder panics");
            text.push_str(&String::from_utf8_lossy(&line));
            text.push('\n');
            self.grown.notify_all();
        }
    }

    fn text(&self) -> String {
        self.text.lock().expect("no holder panics").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log.text());
        }
    }
}
