//! Where directories stand in the URL, and rules files (documents: httpout, options `rdirs` and `dlist`).

use serde_json::Value;

use crate::support::server::{command, run};
use crate::support::{Client, Server, Tree};

/// A tree of four small directories; `clash` and `shared.txt` exist in several of them.
fn tree() -> Tree {
    let tree = Tree::new();
    tree.write("films/a.txt", b"films");
    tree.write("films/shared.txt", b"of films");
    tree.write("films/both/one.txt", b"one");
    tree.write("films/clash", b"a file");
    tree.write("music/b.txt", b"music");
    tree.write("music/shared.txt", b"of music");
    tree.write("music/both/two.txt", b"two");
    tree.write("music/clash/c.txt", b"in a directory");
    tree.write("more/films/d.txt", b"more films");
    tree
}

/// A server that runs in the tree, with listings.
fn serve(tree: &Tree, arguments: &[&str]) -> Server {
    let mut command = command(["--port=0", "--ifce=127.0.0.1", "--maxc=0", "--maxp=0"]);
    command.arg("--dlist").args(arguments);
    Server::spawn(command.current_dir(tree.path("")))
}

fn serve_rules(tree: &Tree, rules: &str) -> Server {
    tree.write("rules.txt", rules.as_bytes());
    serve(tree, &["rules.txt"])
}

/// The links of a listing.
fn listed(server: &Server, target: &str) -> Vec<String> {
    let response = Client::ask(server, "GET", target, "Accept: application/json\r\n");
    assert_eq!(response.status, 200, "{target}");
    let listing: Value = serde_json::from_slice(&response.body).expect("is JSON");
    let entries = listing["entries"].as_array().expect("is an array");
    let link = |entry: &Value| entry["href"].as_str().expect("is a text").to_owned();
    entries.iter().map(link).collect()
}

fn assert_served(server: &Server, files: &[(&str, &str)]) {
    for (target, content) in files {
        let response = Client::get(server, target);
        assert_eq!(
            (response.status, response.text()),
            (200, *content),
            "{target}"
        );
    }
}

/// The one line of a server that does not start.
fn refusal(tree: &Tree, rules: &[u8]) -> String {
    tree.write("rules.txt", rules);
    let rules = tree.text("rules.txt");
    let output = run([&*rules, "--port=0", "--ifce=127.0.0.1"]);
    let said = String::from_utf8(output.stderr).expect("is text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn the_root_lists_the_mount_points() {
    let tree = tree();
    let server = serve(&tree, &["--rdirs=films,music,more/films"]);
    assert_eq!(listed(&server, "/"), ["films/", "films-2/", "music/"]);
    assert_eq!(listed(&server, "/films-2/"), ["d.txt"]);
    let redirect = Client::get(&server, "/films");
    assert_eq!(
        (redirect.status, redirect.field("location")),
        (301, Some("./films/"))
    );
    let page = Client::get(&server, "/");
    assert!(!page.text().contains("more") && !page.text().contains("../"));
    assert_served(&server, &[("/films-2/d.txt", "more films")]);
}

#[test]
fn a_rules_file_names_directories() {
    let tree = tree();
    let server = serve_rules(&tree, "# names\n[films]\nname=bar\n\n[music]\nname=a/b\n");
    assert_served(&server, &[("/bar/a.txt", "films"), ("/a/b/b.txt", "music")]);
    assert_eq!(listed(&server, "/"), ["a/", "bar/"]);
    assert_eq!(listed(&server, "/a/"), ["b/"]);
    assert_eq!(
        listed(&server, "/a/b/"),
        ["both/", "clash/", "b.txt", "shared.txt"]
    );
    for target in ["/films/a.txt", "/a.txt", "/a/b.txt", "/a/x/"] {
        assert_eq!(Client::get(&server, target).status, 404, "{target}");
    }
    let redirect = Client::get(&server, "/a");
    assert_eq!(redirect.field("location"), Some("./a/"));
}

#[test]
fn unnamed_directories_are_merged_at_the_root() {
    let tree = tree();
    let server = serve_rules(&tree, "[films]\n[music]\n[more]\nname=both/more");
    assert_served(
        &server,
        &[
            ("/a.txt", "films"),
            ("/b.txt", "music"),
            ("/shared.txt", "of films"),
            ("/clash", "a file"),
            ("/clash/c.txt", "in a directory"),
            ("/both/one.txt", "one"),
            ("/both/two.txt", "two"),
            ("/both/more/films/d.txt", "more films"),
        ],
    );
    assert_eq!(
        listed(&server, "/"),
        ["both/", "a.txt", "b.txt", "clash", "shared.txt"]
    );
    assert_eq!(listed(&server, "/both/"), ["more/", "one.txt", "two.txt"]);
    // What the first directory gets shows at once.
    tree.write("films/b.txt", b"newer");
    assert_served(&server, &[("/b.txt", "newer")]);
    std::fs::remove_file(tree.path("films/b.txt")).expect("is there");
    assert_served(&server, &[("/b.txt", "music")]);
}

#[test]
fn a_single_unnamed_directory_is_the_root() {
    let tree = tree();
    let server = serve_rules(&tree, "[films]\nfilters=httpout\n");
    assert_served(&server, &[("/a.txt", "films")]);
    assert_eq!(
        listed(&server, "/"),
        ["both/", "a.txt", "clash", "shared.txt"]
    );
}

#[test]
fn a_mount_hides_what_has_its_name_at_the_root() {
    let tree = tree();
    let server = serve_rules(&tree, "[films]\n[music]\nname=both\n[more]\nname=.quiet\n");
    assert_eq!(
        listed(&server, "/"),
        ["both/", "a.txt", "clash", "shared.txt"]
    );
    assert_served(&server, &[("/both/b.txt", "music")]);
    assert_served(&server, &[("/.quiet/films/d.txt", "more films")]);
    assert_eq!(Client::get(&server, "/both/one.txt").status, 404);
}

#[test]
fn plain_directories_stand_beside_those_of_a_rules_file() {
    let tree = tree();
    tree.write("rules.txt", b"[films]\n[more/films]\nname=music\n");
    let server = serve(&tree, &["--rdirs=music,rules.txt"]);
    assert_served(
        &server,
        &[
            ("/a.txt", "films"),
            ("/music/d.txt", "more films"),
            ("/music-2/b.txt", "music"),
        ],
    );
}

#[test]
fn sections_for_other_filters_are_not_exposed() {
    let tree = tree();
    let server = serve_rules(
        &tree,
        "[films]\nname=f\nfilters=rtspout,httpout\n[music]\nname=m\nfilters=rtspout\nru=alice\nmcast=1\n[no-such]\nfilters=rtspout\n",
    );
    assert_eq!(listed(&server, "/"), ["f/"]);
    assert_eq!(Client::get(&server, "/m/b.txt").status, 404);
}

#[test]
fn without_listings_mount_points_are_refused_as_directories() {
    let tree = tree();
    tree.write("rules.txt", b"[films]\nname=a/b\n");
    let rules = tree.text("rules.txt");
    let mut command = command(["--port=0", "--ifce=127.0.0.1", &rules]);
    let server = Server::spawn(command.current_dir(tree.path("")));
    for (target, status) in [
        ("/", 403),
        ("/a", 403),
        ("/a/", 403),
        ("/a/b", 403),
        ("/b", 404),
    ] {
        assert_eq!(Client::get(&server, target).status, status, "{target}");
    }
}

#[test]
fn rights_are_refused_until_they_are_enforced() {
    let tree = tree();
    for key in ["ru", "rg", "wu", "wg"] {
        let said = refusal(
            &tree,
            format!("[{}]\n{key}=$ALL\n", tree.text("films")).as_bytes(),
        );
        assert!(
            said.contains(&format!("`{key}` in line 2")) && said.contains("not supported"),
            "{said}"
        );
    }
}

#[test]
fn a_rules_file_that_is_wrong_names_its_line() {
    let tree = tree();
    let films = tree.text("films");
    for (rules, part) in [
        (format!("[{films}]\n\nnmae=x\n"), "line 3: `nmae`"),
        ("name=x\n".to_owned(), "line 1: `name`"),
        (format!("[{films}\n"), "line 1: `["),
        (format!("[{films}]\nname=../x\n"), "line 2: `../x`"),
        ("; it\n[no/such]\n".to_owned(), "line 2: `no/such`"),
        ("[no/such]\nname=login\n".to_owned(), "line 1: `no/such`"),
        (format!("[{films}/a.txt]\n"), "is not a directory"),
        (
            format!("[{films}]\nfilters=rtspout\n"),
            "exposes no directory",
        ),
        (String::new(), "exposes no directory"),
        ("not\x1brules".to_owned(), "line 1: `not\\u{1b}rules`"),
    ] {
        let said = refusal(&tree, rules.as_bytes());
        assert!(said.starts_with("httpout: option `rdirs`: "), "{said}");
        assert!(said.contains("rules.txt`"), "{said}");
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
    let said = refusal(&tree, b"\x89PNG\xff");
    assert!(said.contains("which is text"), "{said}");
    let said = refusal(&tree, &vec![b'\n'; 2 << 20]);
    assert!(said.contains("too large"), "{said}");
}
