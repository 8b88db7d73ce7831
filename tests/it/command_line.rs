//! What the command says and how it ends, before it serves and after (documents: options).

use std::net::TcpListener;

use crate::support::server::{Server, command, run};
use crate::support::{Client, Tree, curl, guest, serve};

/// Exit code, standard output, standard error.
fn outcome(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The one line of a command that is refused with exit code 2.
fn refusal(arguments: &[&str]) -> String {
    let (code, out, said) = outcome(arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {said}");
    assert_eq!(out, "", "{arguments:?}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    said
}

#[test]
fn without_arguments_it_shows_the_usage() {
    let (code, out, said) = outcome(&[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("usage:"), "{said}");
}

#[test]
fn help_shows_common_options_or_all() {
    let (code, common, _) = outcome(&["-h"]);
    assert_eq!(code, Some(0));
    let (code, all, _) = outcome(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(
        common.contains("--rdirs") && !common.contains("--norange"),
        "{common}"
    );
    assert!(
        all.contains("--rdirs") && all.contains("--norange"),
        "{all}"
    );
}

#[test]
fn bad_usage_is_one_line_that_names_option_value_and_mend() {
    let tree = Tree::new();
    let www = tree.text("www");
    for (arguments, expected) in [
        (&["--prot=80"][..], &["`prot`", "did you mean `port`"][..]),
        (
            &["--port=http", &www],
            &["`port`", "`http`", "unsigned integer"],
        ),
        (&["--port=70000", &www], &["`port`", "`70000`", "65535"]),
        (&["--maxc=-1", &www], &["`maxc`", "`-1`"]),
        (&["--cors=maybe", &www], &["`cors`", "`maybe`", "`auto`"]),
        (&["httpout:rdirs=x:prot=1"], &["`prot`", "`port`"]),
        (&["no-such-directory"], &["`rdirs`", "`no-such-directory`"]),
        (&["--ifce=nowhere0", &www], &["`ifce`", "`nowhere0`"]),
        (&["--hdrs=a", &www], &["`hdrs`", "Name,Value"]),
        (&["--hdrs=a,b\r\nc: d", &www], &["`hdrs`", "field value"]),
        (&["--port=80\n81", &www], &["`port`"]),
        (&["--log=info"], &["nothing to serve"]),
        (&["httpout:port=", &www], &["`port`", "a number is missing"]),
        (&["--plugin=", &www], &["`plugin`", "a file is missing"]),
        (
            &["--plugin=no\nsuch\x1b.wasm", &www],
            &["`plugin`", "no\\nsuch\\u{1b}.wasm"],
        ),
        (&["no\nsuch", &www], &["`rdirs`", "no\\nsuch"]),
    ] {
        let said = refusal(arguments);
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
}

#[test]
fn what_this_version_cannot_do_is_refused_in_one_line() {
    for arguments in [
        &["httpout:hmode=source", "vout", "aout"][..],
        &["-i", "a.mp3", "-o", "a.ts"],
        &[
            "-i",
            "a.mp3",
            "-o",
            "http://localhost/live.mpd",
            "--sigfrag",
        ],
        &[".", "--post"],
    ] {
        let said = refusal(arguments);
        assert!(said.contains("not supported by this version"), "{said}");
    }
}

#[test]
fn files_that_are_no_plugins_are_refused_in_one_line() {
    let tree = Tree::new();
    let www = tree.text("www");
    tree.write("core.wasm", b"\0asm\x01\0\0\0");
    tree.write("broken.wasm", b"\0asm\x0d\0\x01\0\xff");
    tree.write("empty.wasm", b"\0asm\x0d\0\x01\0");
    let whole = std::fs::read(guest("headers")).expect("is built");
    tree.write("cut.wasm", &whole[..whole.len() / 2]);
    for (plugin, expected) in [
        (tree.text("missing.wasm"), "cannot read"),
        (tree.text("www/hello.txt"), "is not a WebAssembly component"),
        (tree.text("core.wasm"), "wasm32-wasip2"),
        (tree.text("broken.wasm"), "cannot compile"),
        (tree.text("cut.wasm"), "cannot compile"),
        (tree.text("empty.wasm"), "httpout:plugin"),
        (guest("faulty") + "?init=error", "told to fail"),
        (guest("faulty") + "?init=panic", "told to panic"),
        (
            guest("faulty") + "?init=loop",
            "`init` took longer than 1000 ms",
        ),
    ] {
        let said = refusal(&[&www, "--plugin", &plugin, "--port=0"]);
        assert!(said.contains(expected), "{expected:?} is not in {said:?}");
    }
}

#[test]
fn a_plugin_that_needs_more_memory_names_the_option() {
    let said = refusal(&["--plugin_memory=65536", "--plugin", &guest("headers")]);
    assert!(said.contains("`plugin_memory`"), "{said}");
}

#[test]
fn the_largest_times_are_as_good_as_for_ever() {
    let tree = Tree::new();
    let most = u64::MAX.to_string();
    let server = Server::start([
        &tree.text("www"),
        &format!("--timeout={most}"),
        &format!("--plugin_timeout={most}"),
        &format!("--plugin={}", guest("headers")),
    ]);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn the_lines_of_the_document_run() {
    let tree = Tree::new();
    std::fs::rename(tree.path("www"), tree.path("outcoming")).expect("is there");
    // The document's line is `httpout:rdirs=outcoming`; it would take port 80.
    for line in ["httpout:rdirs=outcoming:port=0", "outcoming"] {
        let mut command = command([line, "--ifce=127.0.0.1", "--port=0"]);
        let server = Server::spawn(command.current_dir(tree.path("")));
        assert_eq!(curl(&[&server.url("/hello.txt")]), "hello\n");
    }
}

#[test]
fn a_port_in_use_is_said_with_what_would_do() {
    let tree = Tree::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("is bound").port();
    let (code, out, said) = outcome(&[
        &tree.text("www"),
        "--ifce=127.0.0.1",
        &format!("--port={port}"),
    ]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        said.contains(&port.to_string()) && said.contains("in use") && said.contains("--port"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn all_interfaces_are_bound_unless_one_is_named() {
    let tree = Tree::new();
    let mut everywhere = command([&tree.text("www"), "--port=0"]);
    let server = Server::spawn(&mut everywhere);
    let port = server.address.port();
    for host in ["127.0.0.1", "127.0.0.2"] {
        assert_eq!(
            curl(&[&format!("http://{host}:{port}/hello.txt")]),
            "hello\n"
        );
    }
    let named = serve(&tree);
    let port = named.address.port();
    assert!(std::net::TcpStream::connect(("127.0.0.2", port)).is_err());
}

#[test]
fn a_signal_lets_open_requests_finish_and_exits_with_0() {
    for name in ["TERM", "INT"] {
        let tree = Tree::new();
        let mut server = serve(&tree);
        let mut idle = Client::connect(&server);
        let mut open = Client::connect(&server);
        // More than the sockets hold: the answer cannot be over before it is read.
        tree.write("www/huge.bin", &vec![7; 64 << 20]);
        open.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
        idle.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(idle.read_response("GET").status, 200);
        server.signal(name);
        assert!(idle.is_closed());
        assert_eq!(open.read_response("GET").body.len(), 64 << 20);
        assert_eq!(server.wait().code(), Some(0));
    }
}
