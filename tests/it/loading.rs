//! Plugins: what is loaded at the start, what is refused, and what is kept compiled.

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;

use crate::support::{Client, Server, Tree, guest, server};

/// The line with which the server refuses a plugin.
fn refused(tree: &Tree, plugin: &str) -> String {
    let output = server::run(["--port=0", "--ifce=127.0.0.1", "--plugin", plugin]);
    let said = String::from_utf8(output.stderr).expect("is text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let place = tree.text("");
    said.replace(&place, "")
}

/// The bytes of a guest, with one text in place of another of the same length.
fn patched(guest: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = guest.to_vec();
    let places =
        (0..bytes.len() - from.len()).filter(|&at| guest[at..].starts_with(from.as_bytes()));
    let places: Vec<usize> = places.collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn what_is_no_plugin_is_refused_in_one_line() {
    let tree = Tree::new();
    let real = fs::read(guest("headers")).expect("is built");
    let plugin = |name: &str, bytes: &[u8]| {
        tree.write(name, bytes);
        refused(&tree, &tree.text(name))
    };
    assert_eq!(
        plugin("text.wasm", b"hello, I am a plugin"),
        "httpout: option `plugin`: `text.wasm` is not a WebAssembly component\n"
    );
    assert_eq!(
        plugin("short.wasm", b"\0asm"),
        "httpout: option `plugin`: `short.wasm` is not a WebAssembly component\n"
    );
    assert_eq!(
        plugin("empty.wasm", b""),
        "httpout: option `plugin`: plugin `empty.wasm` is empty\n"
    );
    let core = plugin("core.wasm", b"\0asm\x01\0\0\0");
    assert!(core.contains("`core.wasm` is a core WebAssembly module: build it as a component"));
    let cut = plugin("cut.wasm", &real[..real.len() / 2]);
    assert!(
        cut.contains("cannot compile plugin `cut.wasm`: the file seems to be cut short"),
        "{cut}"
    );
    let mut broken = real.clone();
    broken[8..].fill(0x55);
    let broken = plugin("broken.wasm", &broken);
    assert!(
        broken.contains("cannot compile plugin `broken.wasm`: "),
        "{broken}"
    );
}

#[test]
fn a_component_of_another_world_or_version_is_refused_by_name() {
    let tree = Tree::new();
    let real = fs::read(guest("headers")).expect("is built");
    let plugin = |from: &str, to: &str| {
        tree.write("other.wasm", &patched(&real, from, to));
        refused(&tree, &tree.text("other.wasm"))
    };
    assert_eq!(
        plugin(
            "httpout:plugin/handler@0.1.0",
            "httpout:plugin/handler@0.2.0"
        ),
        "httpout: option `plugin`: plugin `other.wasm` was built for `httpout:plugin@0.2.0`, this server has \
         `httpout:plugin@0.1.0`: build it again with the server's `wit/`\n"
    );
    assert_eq!(
        plugin(
            "httpout:plugin/handler@0.1.0",
            "another:plugin/handler@0.1.0"
        ),
        "httpout: option `plugin`: `other.wasm` is no plugin: it exports `another:plugin/handler@0.1.0` and no \
         `httpout:plugin/handler`\n"
    );
    let unknown = plugin("httpout:plugin/host@0.1.0", "httpout:plugin/ghost@0.1.");
    assert!(unknown.contains("cannot compile"), "{unknown}");
    let unknown = plugin("httpout:plugin/host@0.1.0", "another:plugin/host@0.1.0");
    let begin = "httpout: option `plugin`: plugin `other.wasm` imports `another:plugin/host@0.1.0`, which this server \
                 does not give: ";
    assert!(unknown.starts_with(begin), "{unknown}");
    let outbound = plugin("wasi:io/streams", "wasi:http/types");
    assert_eq!(
        outbound,
        "httpout: option `plugin`: plugin `other.wasm` asks other servers (`wasi:http`): name those that it may reach with \
         option `plugin_allow`\n"
    );
}

#[test]
fn what_scripts_are_given_is_given_to_their_engine_only() {
    let tree = Tree::new();
    let mut engine = Vec::new();
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/engines/js.wasm.gz");
    let built = File::open(built).expect("is built by `cargo xtask guests`");
    GzDecoder::new(built)
        .read_to_end(&mut engine)
        .expect("is whole");
    tree.write("engine.wasm", &engine);
    let line = refused(&tree, &tree.text("engine.wasm"));
    let begin = "httpout: option `plugin`: plugin `engine.wasm` imports `httpout:plugin/script@0.1.0`, which this server \
                 does not give: ";
    assert!(line.starts_with(begin), "{line}");
}

#[test]
fn a_plugin_of_a_compatible_version_is_loaded() {
    let tree = Tree::new();
    let real = fs::read(guest("headers")).expect("is built");
    let newer = patched(
        &real,
        "httpout:plugin/host@0.1.0",
        "httpout:plugin/host@0.1.9",
    );
    tree.write("newer.wasm", &newer);
    let plugin = tree.text("newer.wasm?x-gpac=foo");
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    assert_eq!(
        Client::get(&server, "/hello.txt").field("x-gpac"),
        Some("foo")
    );
}

/// A guest with so many further core modules in it, each an instance and with a table, as those of Python have.
fn with_modules(guest: &[u8], count: u8) -> Vec<u8> {
    const MODULE: &[u8] = b"\x01\x0e\0asm\x01\0\0\0\x04\x04\x01\x70\x00\x01";
    let sections = Sections(&guest[8..]);
    let first = sections.filter(|id| *id == 1).count();
    let first = u8::try_from(first).expect("has few modules");
    let mut bytes = guest.to_vec();
    bytes.extend(MODULE.repeat(count.into()));
    for module in first..first + count {
        bytes.extend([2, 4, 1, 0, module, 0]);
    }
    bytes
}

/// The kinds of a component's sections.
struct Sections<'a>(&'a [u8]);

impl Iterator for Sections<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (id, mut rest) = self.0.split_first()?;
        let (mut length, mut shift, mut more) = (0, 0, true);
        while more {
            let (byte, behind) = rest.split_first().expect("has a length");
            length |= usize::from(byte & 0x7f) << shift;
            (rest, shift, more) = (behind, shift + 7, byte & 0x80 != 0);
        }
        self.0 = &rest[length..];
        Some(*id)
    }
}

#[test]
fn a_component_of_many_modules_is_loaded() {
    let tree = Tree::new();
    let real = fs::read(guest("headers")).expect("is built");
    tree.write("many.wasm", &with_modules(&real, 40));
    let (www, plugin) = (tree.text("www"), tree.text("many.wasm?x-gpac=foo"));
    let server = Server::start(["--plugin_instances=3", "--plugin", &plugin, &www]);
    for _ in 0..10 {
        let response = Client::get(&server, "/hello.txt");
        assert_eq!(response.text(), "hello\n");
        assert_eq!(response.field("x-gpac"), Some("foo"));
    }
}

#[test]
fn a_component_of_too_many_modules_is_refused_for_that() {
    let tree = Tree::new();
    let real = fs::read(guest("headers")).expect("is built");
    tree.write("many.wasm", &with_modules(&real, 70));
    let said = refused(&tree, &tree.text("many.wasm"));
    assert!(said.contains("core module instances"), "{said}");
    assert!(!said.contains("option `plugin_memory`"), "{said}");
}

#[test]
fn a_plugin_may_have_more_memory_than_its_body_may_be_long() {
    let tree = Tree::new();
    // A guest's memory begins with a stack of 1 MiB.
    let server = Server::start([
        &tree.text("www"),
        "--plugin_body=1",
        "--plugin_cache=none",
        &format!("--plugin={}?x-from=plugin", guest("headers")),
    ]);
    let response = Client::get(&server, "/hello.txt");
    assert_eq!(response.field("x-from"), Some("plugin"));
    assert!(!server.log().contains("no snapshot"), "{}", server.log());
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let tree = Tree::new();
    let made = Command::new("mkfifo").arg(tree.path("fifo.wasm")).status();
    assert!(made.expect("runs").success());
    for name in ["fifo.wasm", "www"] {
        let line = refused(&tree, &tree.text(name));
        let expected = format!("httpout: option `plugin`: plugin `{name}` is not a file\n");
        assert_eq!(line, expected);
    }
    for device in ["/dev/zero", "/dev/null"] {
        assert!(refused(&tree, device).contains("is not a file"));
    }
    for name in ["missing.wasm", "outside.txt/below.wasm", "www/loop"] {
        let line = refused(&tree, &tree.text(name));
        let begin = format!("httpout: option `plugin`: cannot read plugin `{name}`: ");
        assert!(line.starts_with(&begin), "{line}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let tree = Tree::new();
    let file = File::create(tree.path("large.wasm")).expect("is new");
    file.set_len((256 << 20) + 1).expect("it has holes");
    assert_eq!(
        refused(&tree, &tree.text("large.wasm")),
        "httpout: option `plugin`: plugin `large.wasm` is too large: at most 256 MiB are read\n"
    );
}

/// A server with the guest `counter`, which keeps its code in `cache`.
fn with_cache(tree: &Tree, query: &str) -> Server {
    let plugin = guest("counter") + query;
    let cache = tree.text("cache");
    let server = Server::start(["--plugin", &plugin, "--plugin_cache", &cache, "--log=debug"]);
    assert_eq!(Client::get(&server, "/counter/count").text(), "1");
    server.wait_for_log("init runs");
    server
}

/// The components in the cache, without the seed and the functions.
fn entries(tree: &Tree) -> Vec<PathBuf> {
    let entries = fs::read_dir(tree.path("cache")).expect("is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("can be read").path())
        .collect();
    paths.retain(|path| !path.ends_with("seed") && !path.ends_with("functions"));
    paths.sort();
    paths
}

/// When each was written: what is written anew is another file.
fn inodes(paths: &[PathBuf]) -> Vec<u64> {
    let inode = |path: &PathBuf| fs::metadata(path).expect("is there").ino();
    paths.iter().map(inode).collect()
}

#[test]
fn compiled_code_is_kept_for_the_next_start_and_for_its_owner_only() {
    let tree = Tree::new();
    drop(with_cache(&tree, ""));
    let first = entries(&tree);
    let written = inodes(&first);
    // One to run `init` in, one with what it left.
    assert_eq!(first.len(), 2);
    let mode = |path: PathBuf| fs::metadata(path).expect("is there").mode() & 0o777;
    assert_eq!(mode(tree.path("cache")), 0o700);
    assert_eq!(
        first.iter().cloned().map(mode).collect::<Vec<_>>(),
        [0o600, 0o600]
    );
    // The hash table that `init` fills is ordered by chance, which must not make it another snapshot.
    let server = with_cache(&tree, "");
    assert_eq!(
        (entries(&tree), inodes(&entries(&tree))),
        (first.clone(), written)
    );
    assert_eq!(Client::get(&server, "/counter/config").text(), "Some({})");
    drop(server);
    // Another configuration is another snapshot of the same code.
    let server = with_cache(&tree, "?key=value");
    assert_eq!(entries(&tree).len(), 3);
    let config = Client::get(&server, "/counter/config");
    assert_eq!(config.text(), "Some({\"key\": \"value\"})");
}

#[test]
fn what_init_finds_new_at_each_start_is_not_taken_from_the_cache() {
    let tree = Tree::new();
    drop(with_cache(&tree, "?init=clock"));
    drop(with_cache(&tree, "?init=clock"));
    assert_eq!(entries(&tree).len(), 3);
}

#[test]
fn an_entry_that_is_broken_or_foreign_is_compiled_again() {
    let tree = Tree::new();
    drop(with_cache(&tree, ""));
    let paths = entries(&tree);
    let whole: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| fs::read(path).expect("is ours"))
        .collect();
    let mut flipped = whole[0].clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cut = &whole[0][..middle];
    for broken in [&flipped[..], cut, &whole[0][..7], b"", &whole[1]] {
        fs::write(&paths[0], broken).expect("is ours");
        drop(with_cache(&tree, ""));
        assert_eq!(fs::read(&paths[0]).expect("is there").len(), whole[0].len());
    }
    // What others could have written is written anew.
    fs::set_permissions(&paths[0], Permissions::from_mode(0o666)).expect("is ours");
    let written = inodes(&paths);
    drop(with_cache(&tree, ""));
    assert_ne!(inodes(&paths)[0], written[0]);
    // What is no file.
    fs::remove_file(&paths[0]).expect("is ours");
    fs::create_dir(&paths[0]).expect("is free");
    with_cache(&tree, "").wait_for_log("a compiled plugin cannot be kept");
}

#[test]
fn a_directory_that_others_may_write_to_is_not_used() {
    let tree = Tree::new();
    fs::create_dir(tree.path("cache")).expect("is new");
    fs::set_permissions(tree.path("cache"), Permissions::from_mode(0o770)).expect("is ours");
    let log = with_cache(&tree, "").wait_for_log("others may write to directory");
    assert!(
        log.contains("run `chmod go-w` on it, or choose another"),
        "{log}"
    );
    assert!(entries(&tree).is_empty());

    // A file in its place.
    fs::remove_dir(tree.path("cache")).expect("is empty");
    tree.write("cache", b"");
    with_cache(&tree, "")
        .wait_for_log("plugins are compiled at each start (option `plugin_cache`)");
}

#[test]
fn the_cache_is_where_the_user_has_caches_unless_it_is_told_otherwise() {
    let tree = Tree::new();
    let plugin = guest("headers");
    let start = |arguments: &[&str], cache: &str, home: &str| {
        let mut command = server::command(["--port=0", "--ifce=127.0.0.1", "--plugin", &plugin]);
        command.args(["--log=debug"]).args(arguments);
        command.env("XDG_CACHE_HOME", cache).env("HOME", home);
        Server::spawn(&mut command)
    };
    let filled =
        |below: &str| fs::read_dir(tree.path(below)).is_ok_and(|mut found| found.next().is_some());
    drop(start(
        &["--plugin_cache=none"],
        &tree.text("xdg"),
        &tree.text("home"),
    ));
    assert!(!filled("xdg") && !filled("home"));
    drop(start(&[], &tree.text("xdg"), &tree.text("home")));
    assert!(filled("xdg/httpout") && !filled("home"));
    // What is relative is to be ignored.
    drop(start(&[], "xdg", &tree.text("home")));
    assert!(filled("home/.cache/httpout"));
    start(&[], "", "").wait_for_log("plugins are compiled at each start: there is no directory");
}

#[test]
fn entries_that_nobody_uses_are_removed() {
    let tree = Tree::new();
    drop(with_cache(&tree, ""));
    let used = entries(&tree);
    let age = |name: &str, days: u64| {
        tree.write(&format!("cache/{name}"), b"code");
        let file = File::options()
            .write(true)
            .open(tree.path("cache").join(name));
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        file.and_then(|file| file.set_modified(time))
            .expect("is ours");
    };
    let (old, young) = ("0".repeat(64), "1".repeat(64));
    age(&old, 31);
    age(&young, 29);
    age("new-1-0", 1);
    age("not-ours", 1000);
    let server = with_cache(&tree, "");
    server.wait_for_log(&format!("compiled plugin {old} is removed"));
    server.wait_for_log("compiled plugin new-1-0 is removed");
    drop(server);
    // An entry that is used counts as young, whenever it was written.
    let mut left = used;
    left.extend([tree.path("cache").join(young), tree.path("cache/not-ours")]);
    left.sort();
    assert_eq!(entries(&tree), left);
}
