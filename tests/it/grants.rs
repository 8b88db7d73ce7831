//! Directories that a plugin may reach (option `plugin_dirs`), and nothing beside them.

use std::process::Command;

use crate::support::server::{command, run};
use crate::support::{Client, Response, Server, Tree, guest};

/// The standard tree, with `data` to grant, and ways out of it.
fn tree() -> Tree {
    let tree = Tree::new();
    tree.write("data/a.txt", b"granted\n");
    tree.write("data/sub/b.css", b"b { }\n");
    tree.link("../outside.txt", "data/relative-escape.txt");
    tree.link("../other", "data/directory-escape");
    tree.link("sub/b.css", "data/inside-link.css");
    let outside = tree.path("outside.txt");
    std::os::unix::fs::symlink(outside, tree.path("data/absolute-escape.txt")).expect("is new");
    tree
}

/// A server in the tree's directory, with the plugin `reach` and these grants.
fn serve(tree: &Tree, grants: &[&str]) -> Server {
    let mut command = reaching(tree);
    Server::spawn(command.args(grants))
}

fn reaching(tree: &Tree) -> Command {
    let www = tree.text("www");
    let plugin = guest("reach");
    // It could ask others too; that is for other tests.
    let allowed = "--plugin_allow=example.invalid";
    let mut command = command(["--port=0", "--ifce=127.0.0.1", "--maxp=0", &www, allowed]);
    command.args(["--plugin", &plugin, "--plugin_timeout=60000"]);
    command.current_dir(tree.path(""));
    command
}

fn ask(server: &Server, target: &str) -> String {
    let response = Client::get(server, &format!("/reach/{target}"));
    assert_eq!(response.status, 200, "{target}");
    response.text().to_owned()
}

fn get(server: &Server, file: &str, fields: &str) -> Response {
    Client::ask(server, "GET", &format!("/reach/file?{file}"), fields)
}

#[test]
fn a_granted_directory_has_the_name_that_it_was_granted_by() {
    let tree = tree();
    let absolute = tree.text("data");
    for (grant, name) in [
        ("data", "data"),
        ("data", "/data"),
        ("./data", "data"),
        ("data/", "data"),
        (".", "./data"),
        (".", "data"),
        (&absolute, &absolute),
    ] {
        let server = serve(&tree, &[&format!("--plugin_dirs={grant}")]);
        assert_eq!(
            ask(&server, &format!("read?{name}/a.txt")),
            "granted\n",
            "{grant} {name}"
        );
        assert_eq!(
            ask(&server, &format!("read?{name}/sub/../a.txt")),
            "granted\n"
        );
        assert_eq!(
            ask(&server, &format!("read?{name}/inside-link.css")),
            "b { }\n"
        );
        assert_eq!(ask(&server, &format!("list?{name}/sub")), "[\"b.css\"]");
        if name != "/data" {
            assert_eq!(
                get(&server, &format!("{name}/a.txt"), "").text(),
                "granted\n"
            );
        }
    }
    let server = serve(&tree, &["--plugin_dirs=data,other:rw"]);
    assert_eq!(ask(&server, "read?data/a.txt"), "granted\n");
    assert_eq!(ask(&server, "read?other/inner.txt"), "outside too");
}

#[test]
fn without_a_grant_there_is_no_file() {
    let tree = tree();
    let server = serve(&tree, &[]);
    let outside = tree.text("outside.txt");
    for target in [
        "read?data/a.txt",
        "read?/etc/passwd",
        "list?.",
        "list?/",
        "write?a.txt",
    ] {
        let said = ask(&server, target);
        assert!(said.starts_with("error: "), "{target}: {said}");
    }
    assert!(ask(&server, &format!("read?{outside}")).starts_with("error: "));
    assert!(!tree.path("a.txt").exists());
}

#[test]
fn files_are_changed_only_where_the_grant_says_so() {
    let tree = tree();
    let server = serve(&tree, &["--plugin_dirs=data"]);
    for target in [
        "write?data/a.txt",
        "write?data/new.txt",
        "append?data/a.txt",
        "remove?data/a.txt",
        "mkdir?data/new",
        "link?data/a.txt,data/new.txt",
    ] {
        let said = ask(&server, target);
        assert!(said.starts_with("error: "), "{target}: {said}");
    }
    assert_eq!(
        std::fs::read(tree.path("data/a.txt")).expect("is there"),
        b"granted\n"
    );
    assert!(!tree.path("data/new").exists() && !tree.path("data/new.txt").exists());

    let server = serve(&tree, &["--plugin_dirs=data:rw"]);
    for target in [
        "write?data/new.txt",
        "append?data/new.txt",
        "mkdir?data/new",
        "remove?data/a.txt",
    ] {
        assert_eq!(ask(&server, target), "ok", "{target}");
    }
    assert_eq!(
        std::fs::read(tree.path("data/new.txt")).expect("was written"),
        b"writtenmore"
    );
    assert!(tree.path("data/new").is_dir() && !tree.path("data/a.txt").exists());
}

#[test]
fn no_path_leads_out_of_a_granted_directory() {
    let tree = tree();
    let absolute = tree.text("data");
    let server = serve(&tree, &[&format!("--plugin_dirs=data:rw,{absolute}:rw")]);
    for name in ["data", &absolute] {
        for path in [
            "../outside.txt",
            "sub/../../outside.txt",
            "relative-escape.txt",
            "absolute-escape.txt",
            "directory-escape/inner.txt",
        ] {
            for what in ["read", "write", "append", "remove"] {
                // To remove a link removes what lies inside.
                if what == "remove" && path.ends_with("escape.txt") {
                    continue;
                }
                let said = ask(&server, &format!("{what}?{name}/{path}"));
                assert!(said.starts_with("error: "), "{what} {name}/{path}: {said}");
            }
        }
        for target in [
            format!("list?{name}/.."),
            format!("list?{name}/directory-escape"),
            format!("mkdir?{name}/../new"),
            format!("link?{name}/../outside.txt,{name}/new.txt"),
            format!("link?{name}/a.txt,{name}/../new.txt"),
            format!("write?{name}/../new.txt"),
        ] {
            let said = ask(&server, &target);
            assert!(said.starts_with("error: "), "{target}: {said}");
        }
    }
    assert_eq!(
        std::fs::read(tree.path("outside.txt")).expect("is there"),
        b"outside"
    );
    assert_eq!(
        std::fs::read(tree.path("other/inner.txt")).expect("is there"),
        b"outside too"
    );
    assert!(!tree.path("new").exists() && !tree.path("new.txt").exists());
}

#[test]
fn what_cannot_be_opened_is_said_at_start() {
    let tree = tree();
    for (grant, named) in [
        ("missing", "missing"),
        ("data,missing:rw", "missing"),
        ("data/a.txt", "data/a.txt"),
    ] {
        let output = reaching(&tree)
            .arg(format!("--plugin_dirs={grant}"))
            .output();
        let output = output.expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
        assert!(
            said.contains("option `plugin_dirs`") && said.contains(&format!("`{named}`")),
            "{said}"
        );
    }
}

#[test]
fn init_may_read_what_is_granted() {
    let tree = tree();
    let www = tree.text("www");
    let plugin = guest("reach") + "?init=data/a.txt";
    let allowed = "--plugin_allow=example.invalid";
    let start = |grant: &str| {
        let mut command = command(["--port=0", "--ifce=127.0.0.1", &www, allowed, grant]);
        command
            .args(["--plugin", &plugin])
            .current_dir(tree.path(""));
        command
    };
    let server = Server::spawn(&mut start("--plugin_dirs=data"));
    assert_eq!(ask(&server, "read?data/a.txt"), "granted\n");
    let output = start("--plugin_dirs=other")
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_file_below_a_granted_directory_is_served_like_any_other() {
    let tree = tree();
    let absolute = tree.text("data");
    let server = serve(&tree, &[&format!("--plugin_dirs=data,{absolute}")]);
    for name in ["data", &absolute] {
        let file = format!("{name}/sub/b.css");
        let whole = get(&server, &file, "");
        assert_eq!((whole.status, whole.text()), (200, "b { }\n"));
        assert_eq!(whole.field("content-type"), Some("text/css; charset=utf-8"));
        let part = get(&server, &file, "Range: bytes=2-2\r\n");
        assert_eq!((part.status, part.text()), (206, "{"));
        let etag = whole.field("etag").expect("is a file");
        let same = get(&server, &file, &format!("If-None-Match: {etag}\r\n"));
        assert_eq!(same.status, 304);
        let target = format!("/reach/file?{file}");
        let head = Client::ask(&server, "HEAD", &target, "");
        assert_eq!(
            (head.status, head.field("content-length")),
            (200, Some("6"))
        );
        let put = Client::put(&server, &target, "", b"new");
        assert_eq!(put.status, 405);
        let linked = get(&server, &format!("{name}/inside-link.css"), "");
        assert_eq!(linked.text(), "b { }\n");
    }
    // What changes is served as it is.
    tree.write("data/sub/b.css", b"c { }\n");
    assert_eq!(get(&server, "data/sub/b.css", "").text(), "c { }\n");
}

#[test]
fn a_file_outside_of_a_granted_directory_is_never_served() {
    let tree = tree();
    let absolute = tree.text("data");
    let server = serve(&tree, &[&format!("--plugin_dirs=data,{absolute}")]);
    for name in ["data", &absolute] {
        for path in [
            "../outside.txt",
            "sub/../../outside.txt",
            "relative-escape.txt",
            "absolute-escape.txt",
            "directory-escape/inner.txt",
            "sub",
            "",
            "../data2/a.txt",
        ] {
            let file = format!("{name}/{path}");
            assert_eq!(get(&server, &file, "").status, 404, "{file}");
        }
    }
    assert_eq!(get(&server, "other/inner.txt", "").status, 404);
    assert_eq!(get(&server, &tree.text("outside.txt"), "").status, 404);
    // No client names a granted file by itself.
    for target in ["/data/a.txt", "/0/a.txt", "/a.txt"] {
        assert_eq!(Client::get(&server, target).status, 404, "{target}");
    }
    server.wait_for_log("set-body-file refused: no file");
}

#[test]
fn the_directories_for_read_come_first() {
    let tree = tree();
    tree.write("www/data/a.txt", b"exposed\n");
    let server = serve(&tree, &["--plugin_dirs=data"]);
    assert_eq!(get(&server, "data/a.txt", "").text(), "exposed\n");
    assert_eq!(get(&server, "data/sub/b.css", "").text(), "b { }\n");
}

#[test]
fn files_that_a_guest_leaves_open_are_bounded_and_closed() {
    let tree = tree();
    let server = serve(&tree, &["--plugin_dirs=data", "--plugin_handles=50"]);
    assert_eq!(ask(&server, "read?data/a.txt"), "granted\n");
    let before = server.open_files().len();
    for _ in 0..3 {
        let failed = Client::get(&server, "/reach/open?data/a.txt");
        assert_eq!(failed.status, 500);
        // Neither of the guest's files is left, nor one of each directory for each instance.
        assert!(
            server.open_files().len() <= before + 5,
            "{:?}",
            server.open_files()
        );
    }
    server.wait_for_log("(option `plugin_handles`)");
    assert_eq!(ask(&server, "read?data/a.txt"), "granted\n");
}

#[test]
fn a_guest_that_takes_all_descriptors_leaves_some_to_the_server() {
    let tree = tree();
    let mut command = reaching(&tree);
    command.args(["--plugin_dirs=data", "--plugin_handles=10000"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 100; exec \"$@\"", "sh"]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(tree.path(""));
    let server = Server::spawn(&mut limited);
    let mut waiting = Client::connect(&server);
    waiting.send("GET /reach/hold?data/a.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("opening a file refused: the server's descriptors run short");
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
    assert!(ask(&server, "read?data/a.txt").starts_with("error: "));
}

#[test]
fn what_would_keep_a_guest_waiting_is_not_opened() {
    let tree = tree();
    let fifo = tree.path("data/fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo runs").success());
    tree.link("fifo", "data/link-to-fifo");
    let server = serve(&tree, &["--plugin_dirs=data:rw"]);
    for name in ["fifo", "link-to-fifo"] {
        for how in ["read", "append", "write"] {
            let said = ask(&server, &format!("{how}?data/{name}"));
            assert!(said.starts_with("error: "), "{how} {name}: {said}");
        }
        assert_eq!(get(&server, &format!("data/{name}"), "").status, 404);
    }
    assert_eq!(ask(&server, "read?data/inside-link.css"), "b { }\n");
}

#[test]
fn rewrite_serves_other_files() {
    let tree = tree();
    tree.write("www/2026/film.txt", b"this year\n");
    let rules = "?from=/latest/&to=/2026/&from=/latest/&to=data/&from=/style.css&to=data/sub/b.css";
    let www = tree.text("www");
    let plugin = guest("rewrite") + rules;
    let mut command = command(["--port=0", "--ifce=127.0.0.1", &www, "--plugin_dirs=data"]);
    command
        .args(["--plugin", &plugin])
        .current_dir(tree.path(""));
    let server = Server::spawn(&mut command);
    for (target, body) in [
        ("/latest/film.txt", "this year\n"),
        ("/2026/../latest/film.txt", "this year\n"),
        ("/latest/a.txt", "granted\n"),
        ("/style.css", "b { }\n"),
        ("/hello.txt", "hello\n"),
    ] {
        assert_eq!(Client::get(&server, target).text(), body, "{target}");
    }
    assert_eq!(Client::get(&server, "/latest/missing.txt").status, 404);
    assert_eq!(Client::get(&server, "/latest").status, 404);

    for wrong in ["", "?from=/a/", "?to=/a/&from=/b/"] {
        let plugin = guest("rewrite") + wrong;
        let output = run(["--port=0", "--plugin", &plugin]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
    }
}
