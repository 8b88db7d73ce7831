//! curl with a pipe on either side, to see what passes through it and when.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A curl that runs. It ends with this value.
pub(crate) struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

impl Piped {
    pub(crate) fn start(arguments: &[&str]) -> Piped {
        let mut child = Command::new("curl")
            .args(["--disable", "--silent", "--fail", "--no-buffer"])
            .args(["--max-time", "60"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl is installed");
        Piped {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().expect("is piped"),
            child,
        }
    }

    /// What it is to upload.
    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("has not been closed");
        stdin.write_all(text.as_bytes()).expect("curl reads");
    }

    /// The next bytes that it has got are this.
    pub(crate) fn read(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        self.stdout.read_exact(&mut bytes).expect("curl writes");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    /// Ends its input, and waits for its end; what it has got besides.
    pub(crate) fn end(mut self) -> String {
        drop(self.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("is text");
        let status = self.child.wait().expect("is a child of ours");
        assert!(status.success(), "curl: {status}");
        rest
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
