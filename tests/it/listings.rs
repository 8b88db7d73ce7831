//! Listings of directories (documents: httpout, option `dlist`).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::process::Command;

use serde_json::Value;

use crate::support::{Client, Response, Server, Tree, curl};

/// A server of the standard tree that lists.
fn serve(tree: &Tree) -> Server {
    Server::start([&tree.text("www"), "--dlist"])
}

fn get_json(server: &Server, target: &str) -> Value {
    let response = Client::ask(server, "GET", target, "Accept: application/json\r\n");
    assert_eq!(response.status, 200, "{target}");
    assert_eq!(response.field("content-type"), Some("application/json"));
    serde_json::from_slice(&response.body).expect("is JSON")
}

/// The value of a key of each entry of a listing.
fn values<'a>(listing: &'a Value, key: &str) -> Vec<&'a str> {
    let entries = listing["entries"].as_array().expect("is an array");
    let text = |entry: &'a Value| entry[key].as_str().expect("is a text");
    entries.iter().map(text).collect()
}

/// The links of a page, in their order.
fn links(page: &Response) -> Vec<&str> {
    let parts = page.text().split("href=\"").skip(1);
    parts.filter_map(|part| part.split('"').next()).collect()
}

fn varies_by_accept(response: &Response) -> bool {
    let mut fields = response.fields.iter();
    fields.any(|(name, value)| name == "vary" && value.split(", ").any(|field| field == "Accept"))
}

#[test]
fn a_page_links_what_can_be_fetched_and_nothing_else() {
    let tree = Tree::new();
    let made = Command::new("mkfifo").arg(tree.path("www/fifo")).status();
    assert!(made.expect("mkfifo runs").success());
    let _socket = UnixListener::bind(tree.path("www/socket")).expect("is new");
    tree.write("www/Zebra.txt", b"z");
    tree.write("www/<script>alert(1)<\\script>.txt", b"script");
    tree.write("www/a'b:c#d.txt", b"signs");
    tree.write("www/.httpout-tmp/upload", b"in progress");
    let server = serve(&tree);
    let page = Client::get(&server, "/");
    assert_eq!(page.status, 200);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.field("cache-control"), Some("no-cache"));
    assert!(varies_by_accept(&page), "{:?}", page.fields);
    let expected = [
        "inside-directory/",
        "sub/",
        "%252e%252e.txt",
        "%3Cscript%3Ealert%281%29%3C%5Cscript%3E.txt",
        "Zebra.txt",
        "a%27b%3Ac%23d.txt",
        "big.bin",
        "empty.txt",
        "hello.txt",
        "inside-link.txt",
        "line%0Abreak.txt",
        "question%3F.txt",
        "with%20space%20%26%20%22quotes%22.txt",
        "%F0%9F%8C%8A.txt",
        "%FF%FE.bin",
    ];
    assert_eq!(links(&page), expected);
    for link in expected {
        let response = Client::get(&server, &format!("/{link}"));
        assert_eq!(response.status, 200, "{link}");
    }
    let text = page.text();
    assert!(text.contains("<title>Index of /</title>"), "{text}");
    assert!(
        !text.contains("<script") && text.contains("&#60;script&#62;"),
        "{text}"
    );
    let local = tree.text("");
    assert!(!text.contains(local.trim_end_matches('/')), "{text}");
    for size in ["3.0 MB", "6 B", "0 B"] {
        assert!(text.contains(size), "{size}: {text}");
    }
}

#[test]
fn a_sub_directory_links_its_parent_and_says_its_path_only() {
    let tree = Tree::new();
    tree.write("www/sub/a & b/<i>/file", b"");
    let server = serve(&tree);
    let page = Client::get(&server, "/sub/a%20%26%20b/%3Ci%3E/");
    assert_eq!(links(&page), ["../", "file"]);
    let title = "<h1>Index of /sub/a &#38; b/&#60;i&#62;/</h1>";
    assert!(page.text().contains(title), "{}", page.text());
    let page = Client::get(&server, "/inside-directory/");
    assert_eq!(links(&page), ["../", "a%20%26%20b/", "deep/"]);
    for target in [
        "/directory-escape/",
        "/directory-escape",
        "/missing/",
        "/hello.txt/",
    ] {
        assert_eq!(Client::get(&server, target).status, 404, "{target}");
    }
}

#[test]
fn a_directory_without_a_slash_is_redirected() {
    let tree = Tree::new();
    tree.write("www/a b:c/x", b"");
    let server = serve(&tree);
    for (target, location) in [
        ("/sub", "./sub/"),
        ("/sub/deep?a=1&b=%20", "./deep/?a=1&b=%20"),
        ("/a%20b%3Ac", "./a%20b%3Ac/"),
        ("/sub%2Fdeep", "./sub/deep/"),
        ("/%2F%2Fsub", ".///sub/"),
        ("http://elsewhere/sub", "./sub/"),
    ] {
        for method in ["GET", "HEAD"] {
            let response = Client::ask(&server, method, target, "");
            assert_eq!(response.status, 301, "{target}");
            assert_eq!(response.field("location"), Some(location), "{target}");
            assert_eq!(response.field("content-length"), Some("0"), "{target}");
        }
    }
    let ends = |target: &str| {
        let url = server.url(target);
        let print = "%{http_code} %{url_effective}";
        curl(&["-L", "--path-as-is", "-o", "/dev/null", "-w", print, &url])
    };
    assert_eq!(
        ends("/sub/deep?a=1"),
        format!("200 {}", server.url("/sub/deep/?a=1"))
    );
    assert_eq!(
        ends("/sub%2Fdeep"),
        format!("200 {}", server.url("/sub/deep/"))
    );
    assert!(ends("/%2F%2Fsub").starts_with(&format!("200 {}", server.url("/"))));
}

#[test]
fn json_says_the_same_to_programs() {
    let tree = Tree::new();
    let server = serve(&tree);
    let listing = get_json(&server, "/");
    let page = Client::get(&server, "/");
    assert_eq!(listing["path"], "/");
    assert_eq!(values(&listing, "href"), links(&page));
    let entries = listing["entries"].as_array().expect("is an array");
    let named = |name: &str| {
        let found = entries.iter().find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("no {name:?}"))
    };
    let modified = tree.path("www/hello.txt").metadata().expect("is there");
    let modified = modified.modified().expect("is known");
    let modified = modified.duration_since(std::time::UNIX_EPOCH);
    let day = Command::new("date")
        .args(["--utc", "+%Y-%m-%dT%H:%M:%SZ", "--date"])
        .arg(format!("@{}", modified.expect("after 1970").as_secs()))
        .output();
    let day = String::from_utf8(day.expect("date runs").stdout).expect("is text");
    assert_eq!(
        *named("hello.txt"),
        serde_json::json!({"name": "hello.txt", "href": "hello.txt", "kind": "file", "size": 6, "modified": day.trim()})
    );
    assert_eq!(named("sub")["kind"], "directory");
    assert_eq!(named("sub").get("size"), None);
    assert_eq!(named("inside-directory")["kind"], "directory");
    assert_eq!(named("inside-link.txt")["size"], 6);
    assert_eq!(named("line\nbreak.txt")["href"], "line%0Abreak.txt");
    assert_eq!(named("\u{fffd}\u{fffd}.bin")["href"], "%FF%FE.bin");
}

#[test]
fn the_form_follows_what_the_client_likes_better() {
    let tree = Tree::new();
    let server = serve(&tree);
    for (accept, expected) in [
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("application/json, */*;q=0.5", "application/json"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json, text/html", "text/html; charset=utf-8"),
        (
            "text/html, application/json;q=0.9",
            "text/html; charset=utf-8",
        ),
        ("image/png", "text/html; charset=utf-8"),
    ] {
        let response = Client::ask(&server, "GET", "/sub/", &format!("Accept: {accept}\r\n"));
        assert_eq!(response.field("content-type"), Some(expected), "{accept}");
    }
}

#[test]
fn head_of_a_directory_has_the_fields_of_get() {
    let tree = Tree::new();
    let server = serve(&tree);
    for accept in ["text/html", "application/json"] {
        let accept = format!("Accept: {accept}\r\n");
        let get = Client::ask(&server, "GET", "/", &accept);
        let head = Client::ask(&server, "HEAD", "/", &accept);
        assert_eq!(head.status, 200);
        for name in ["content-length", "content-type", "cache-control"] {
            assert_eq!(head.field(name), get.field(name), "{name}");
        }
        assert!(varies_by_accept(&head) && varies_by_accept(&get));
    }
}

#[test]
fn a_listing_is_fresh_whatever_files_may_be() {
    let tree = Tree::new();
    for (option, expected) in [
        ("--cache_control=max-age=60", Some("no-cache")),
        ("--cache_control=none", None),
    ] {
        let server = Server::start([&tree.text("www"), "--dlist", option]);
        let page = Client::get(&server, "/sub/");
        assert_eq!(page.field("cache-control"), expected, "{option}");
        tree.write("www/sub/new.txt", b"new");
        let page = Client::get(&server, "/sub/");
        assert_eq!(links(&page), ["../", "deep/", "new.txt"]);
        std::fs::remove_file(tree.path("www/sub/new.txt")).expect("is there");
    }
}

#[test]
fn an_index_file_is_an_entry_as_any_other() {
    let tree = Tree::new();
    tree.write("www/sub/index.html", b"index");
    let server = serve(&tree);
    let page = Client::get(&server, "/sub/");
    assert_eq!(links(&page), ["../", "deep/", "index.html"]);
}

#[test]
fn an_empty_directory_says_so() {
    let tree = Tree::new();
    std::fs::create_dir(tree.path("www/empty")).expect("there is room");
    let server = serve(&tree);
    let page = Client::get(&server, "/empty/");
    assert_eq!(links(&page), ["../"]);
    assert!(page.text().contains("is empty"));
    let listing = get_json(&server, "/empty/");
    assert_eq!(
        listing,
        serde_json::json!({"path": "/empty/", "entries": []})
    );
}

#[test]
fn uploads_in_progress_are_neither_listed_nor_served() {
    let tree = Tree::new();
    tree.write("www/.httpout-tmp/upload", b"in progress");
    tree.write("www/sub/.httpout-tmp/upload", b"in progress");
    for options in [&[][..], &["--dlist"]] {
        let server = Server::start([&[&*tree.text("www")][..], options].concat());
        for target in [
            "/.httpout-tmp",
            "/.httpout-tmp/",
            "/.httpout-tmp/upload",
            "/%2ehttpout-tmp/upload",
            "/sub/.httpout-tmp/upload",
            "/.httpout-tmp%2Fupload",
        ] {
            assert_eq!(Client::get(&server, target).status, 404, "{target}");
        }
    }
    let server = serve(&tree);
    assert!(!Client::get(&server, "/").text().contains("httpout-tmp"));
}

#[test]
fn a_directory_whose_name_is_not_utf8_is_listed_by_its_bytes() {
    let tree = Tree::new();
    let directory = tree.path("www").join(OsStr::from_bytes(b"\xff\xfe"));
    std::fs::create_dir(&directory).expect("there is room");
    std::fs::write(directory.join("a.txt"), b"a").expect("there is room");
    let server = serve(&tree);
    assert!(links(&Client::get(&server, "/")).contains(&"%FF%FE/"));
    let redirect = Client::get(&server, "/%ff%fe");
    assert_eq!(redirect.field("location"), Some("./%FF%FE/"));
    assert_eq!(links(&Client::get(&server, "/%FF%FE/")), ["../", "a.txt"]);
    assert_eq!(Client::get(&server, "/%FF%FE/a.txt").text(), "a");
}

#[test]
fn many_entries_hold_nobody_up() {
    const ENTRIES: usize = 50_000;
    let tree = Tree::new();
    std::fs::create_dir(tree.path("www/many")).expect("there is room");
    for number in 0..ENTRIES {
        let path = tree.path(&format!("www/many/segment_{number:05}.m4s"));
        std::fs::File::create(path).expect("there is room");
    }
    let server = serve(&tree);
    // More than are made at a time: some wait for their turn.
    let mut clients: Vec<Client> = (0..8).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.send("GET /many/ HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
    for client in &mut clients {
        let page = client.read_response("GET");
        let links = links(&page);
        assert_eq!(links.len(), ENTRIES + 1);
        assert_eq!(links.last(), Some(&"segment_49999.m4s"));
        assert!(links.is_sorted());
    }
}
