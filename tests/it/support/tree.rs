//! A directory with the files that give servers trouble.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::CertifiedKey;
use tempfile::TempDir;

/// A temporary directory that holds `www`, what is exposed, and `outside.txt`, what must never be.
pub(crate) struct Tree {
    directory: TempDir,
}

impl Tree {
    /// The standard tree.
    pub(crate) fn new() -> Tree {
        let directory = tempfile::tempdir().expect("there is room");
        let tree = Tree { directory };
        tree.write("outside.txt", b"outside");
        tree.write("other/inner.txt", b"outside too");
        tree.write("www/hello.txt", b"hello\n");
        tree.write("www/empty.txt", b"");
        tree.write("www/sub/deep/page.html", b"<p>deep</p>");
        tree.write("www/big.bin", &pattern(3_000_000));
        tree.write("www/.hidden", b"hidden");
        tree.write("www/with space & \"quotes\".txt", b"quotes");
        tree.write("www/%2e%2e.txt", b"percent");
        tree.write("www/line\nbreak.txt", b"line");
        tree.write("www/\u{1f30a}.txt", b"wave");
        tree.write("www/question?.txt", b"question");
        let not_utf8 = tree.path("www").join(OsStr::from_bytes(b"\xff\xfe.bin"));
        std::fs::write(not_utf8, b"bytes").expect("there is room");
        tree.link("hello.txt", "www/inside-link.txt");
        tree.link("sub", "www/inside-directory");
        tree.link("../outside.txt", "www/relative-escape.txt");
        tree.link("../other", "www/directory-escape");
        let outside = tree.path("outside.txt");
        symlink(outside, tree.path("www/absolute-escape.txt")).expect("is new");
        tree.link("loop", "www/loop");
        tree.link("missing", "www/dangling");
        tree
    }

    /// Writes `cert.pem` and `pkey.pem`, which are those of `localhost` and 127.0.0.1, beside what is exposed.
    pub(crate) fn write_certificate(&self) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).expect("the names are valid");
        self.write("cert.pem", cert.pem().as_bytes());
        self.write("pkey.pem", signing_key.serialize_pem().as_bytes());
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// The path as an option takes it.
    pub(crate) fn text(&self, below: &str) -> String {
        let path = self.path(below).into_os_string();
        path.into_string().expect("the path is text")
    }

    /// Writes a file, and the directories it lies in.
    pub(crate) fn write(&self, below: &str, content: &[u8]) {
        let path = self.path(below);
        let parent: &Path = path.parent().expect("lies in the tree");
        std::fs::create_dir_all(parent).expect("there is room");
        std::fs::write(path, content).expect("there is room");
    }

    /// Makes a symbolic link that points to `target`, relative to where it lies.
    pub(crate) fn link(&self, target: &str, below: &str) {
        symlink(target, self.path(below)).expect("is new");
    }
}

/// Bytes of which each part looks different.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let number = |index: usize| (index / 4).wrapping_mul(2_654_435_761).to_le_bytes()[index % 4];
    (0..length).map(number).collect()
}

/// Waits until the server may keep the content of a file in memory: its last change is more than 2 s old.
pub(crate) fn settle(tree: &Tree, file: &str) {
    use std::os::unix::fs::MetadataExt as _;
    let changed = std::fs::metadata(tree.path(file))
        .expect("is there")
        .ctime();
    let changed = Duration::from_secs(u64::try_from(changed).expect("after 1970"));
    loop {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        if now.expect("after 1970") > changed + Duration::from_secs(4) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
