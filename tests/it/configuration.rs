//! The configuration file, `check`, completions and the manual page (docs/configuration.md).

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::server::{Server, command, run};
use crate::support::{Client, Tree, curl, guest};

const GUIDE: &str = include_str!("../../docs/configuration.md");
const README: &str = include_str!("../../README.md");

/// A tree with all that the examples of the guide name.
fn example() -> Tree {
    let tree = Tree::new();
    tree.write("films/film.txt", b"a film\n");
    tree.write("films/private/film.txt", b"a secret film\n");
    tree.write("music/song.txt", b"a song\n");
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    tree.write("tls/cert.pem", key.cert.pem().as_bytes());
    tree.write("tls/key.pem", key.signing_key.serialize_pem().as_bytes());
    tree.write("archive/old.txt", b"an old film\n");
    for name in ["auth", "headers", "rewrite", "fetch"] {
        let component = std::fs::read(guest(name)).expect("is built");
        tree.write(&format!("plugins/{name}.wasm"), &component);
    }
    tree
}

/// What the blocks of the guide in a language hold.
fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let mark = format!("```{language}\n");
    let ends = |text: &'static str| text.split("\n```").next();
    GUIDE
        .split(mark.as_str())
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(ends)
}

/// Writes a configuration file; its path.
fn configure(tree: &Tree, text: &str) -> String {
    tree.write("httpout.toml", text.as_bytes());
    tree.text("httpout.toml")
}

fn check(tree: &Tree, arguments: &[&str]) -> Output {
    let mut command = command(["check"]);
    let command = command.args(arguments).current_dir(tree.path(""));
    command.output().expect("the binary runs")
}

/// Exit code, standard output, standard error.
fn outcome(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The names below a directory, in order.
fn names(tree: &Tree) -> Vec<String> {
    let mut found = Command::new("find");
    let found = found.arg(".").current_dir(tree.path("")).output();
    let mut names: Vec<_> = String::from_utf8_lossy(&found.expect("find runs").stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[test]
fn every_example_of_the_guide_passes_the_check() {
    let tree = example();
    let mut count = 0;
    for text in blocks("toml") {
        configure(&tree, text);
        let (code, report, said) = outcome(check(&tree, &["httpout.toml"]));
        assert_eq!((code, said.as_str()), (Some(0), ""), "{text}");
        assert!(
            report.lines().all(|line| line.starts_with("ok ")),
            "{report}"
        );
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn the_file_of_the_readme_passes_the_check() {
    let tree = example();
    let (_, rest) = README.split_once("```toml\n").expect("there is one");
    let (text, _) = rest.split_once("```").expect("it ends");
    let built = "guests/target/wasm32-wasip2/release/auth.wasm";
    assert!(text.contains(built), "{text}");
    configure(&tree, &text.replace(built, "plugins/auth.wasm"));
    let (code, _, said) = outcome(check(&tree, &["httpout.toml"]));
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn the_check_says_of_the_first_example_what_the_guide_tells() {
    let tree = example();
    let first = blocks("toml").next().expect("there is one");
    let told = blocks("text").next().expect("there is one");
    configure(&tree, first);
    let (_, report, _) = outcome(check(&tree, &["httpout.toml"]));
    assert_eq!(report.trim_end(), told);
}

#[test]
fn the_first_example_serves_what_its_plugins_are_granted() {
    let tree = example();
    let first = blocks("toml").next().expect("there is one");
    let file = configure(&tree, first);
    let flags = ["--config", &file, "--port=0", "--cert=", "--pkey="];
    let server = Server::spawn(command(flags).current_dir("/"));
    let ask = |target: &str| Client::get(&server, target);
    assert_eq!(ask("/films/film.txt").text(), "a film\n");
    assert_eq!(ask("/films/old.txt").text(), "an old film\n");
    assert_eq!(ask("/archive/old.txt").status, 404);
    assert_eq!(ask("/private/old.txt").status, 401);
}

#[test]
fn a_file_is_served_from_any_directory() {
    let tree = example();
    let text = "port = [0, 0]\nifce = '127.0.0.1'\ncert = 'tls/cert.pem'\npkey = 'tls/key.pem'\n\
                rdirs = ['films', 'music']\nwdir = 'films/new'\nhdrs = { X-A = '1, 2' }\ndlist = true\n\
                [[plugin]]\nfile = 'plugins/headers.wasm'\nconfig = { x-from = 'plugin' }";
    let file = configure(&tree, text);
    let mut command = command(["--config", &file]);
    let mut server = Server::spawn(command.current_dir("/"));
    assert_eq!(curl(&[&server.url("/music/song.txt")]), "a song\n");
    let fields = curl(&["-I", &server.url("/films/")]).to_lowercase();
    assert!(fields.contains("x-a: 1, 2\r\n"), "{fields}");
    assert!(fields.contains("x-from: plugin\r\n"), "{fields}");
    let (is_secure, address) = server.next_listener();
    assert!(is_secure);
    let url = format!("https://localhost:{}/films/film.txt", address.port());
    let ca = tree.text("tls/cert.pem");
    assert_eq!(curl(&["--cacert", &ca, "-4", &url]), "a film\n");
    tree.write("song.txt", b"another\n");
    let song = tree.text("song.txt");
    curl(&["-f", "-T", &song, &server.url("/song.txt")]);
    assert_eq!(curl(&[&server.url("/films/new/song.txt")]), "another\n");
}

#[test]
fn the_command_line_goes_before_the_file_and_adds_plugins() {
    let tree = example();
    let text = "port = 1\nrdirs = ['films']\nhdrs = { X-A = '1' }\n\
                [[plugin]]\nfile = 'plugins/auth.wasm'\n\
                config = { path = '/private/', user = 'alice', password = 'secret' }";
    let file = configure(&tree, text);
    // The helper gives `--port=0` and more.
    let server = Server::start([
        "--config",
        &file,
        "--hdrs=X-B,2",
        &format!("--plugin={}?x-from=flag", guest("headers")),
    ]);
    let open = Client::get(&server, "/film.txt");
    assert_eq!(open.status, 200);
    assert_eq!(open.field("x-b"), Some("2"));
    assert_eq!(open.field("x-a"), None);
    assert_eq!(open.field("x-from"), Some("flag"));
    assert_eq!(Client::get(&server, "/private/film.txt").status, 401);
    let music = Server::start(["--config", &file, &tree.text("music")]);
    assert_eq!(Client::get(&music, "/song.txt").status, 200);
    assert_eq!(Client::get(&music, "/film.txt").status, 404);
}

#[test]
fn each_table_is_a_server_of_its_own() {
    let tree = example();
    let text = "port = 0\nifce = '127.0.0.1'\n[[server]]\nrdirs = 'films'\n[[server]]\nrdirs = 'music'\n\
                [[server.plugin]]\nfile = 'plugins/headers.wasm'\nconfig = { x-from = 'music' }";
    let file = configure(&tree, text);
    let mut server = Server::spawn(&mut command(["--config", &file]));
    let (_, music) = server.next_listener();
    let films = curl(&["-i", &server.url("/film.txt")]);
    assert!(
        films.ends_with("a film\n") && !films.contains("x-from"),
        "{films}"
    );
    let music = curl(&["-i", &format!("http://{music}/song.txt")]);
    assert!(
        music.ends_with("a song\n") && music.contains("x-from: music"),
        "{music}"
    );
}

#[test]
fn a_plugin_does_not_learn_the_configuration_of_another() {
    let tree = example();
    let text = "rdirs = 'films'\n\
                [[plugin]]\nfile = 'plugins/headers.wasm'\nconfig = { x-a = 'confidential' }";
    let file = configure(&tree, text);
    let probe = format!("--plugin={}", guest("probe"));
    let server = Server::start(["--config", &file, &probe]);
    let options = Client::get(&server, "/probe/options");
    assert_eq!(options.text(), "Some(\"0\") Some(\"0\") None None");
}

#[test]
fn what_is_wrong_in_a_file_is_one_line_with_its_place() {
    let tree = example();
    tree.write("broken.wasm", b"\0asm\x0d\0\x01\0\xff");
    for (text, expected) in [
        (
            "rdirs = 'films'\nprot = 1",
            "httpout.toml:2: unknown key `prot`: did you mean `port`?",
        ),
        ("port = 80\nport = 81", "httpout.toml:2: duplicate key"),
        (
            "\nrdirs = ['flims']",
            "httpout.toml:2: option `rdirs`: cannot open directory `flims`: No such file or directory (os error 2)",
        ),
        (
            "rdirs = 'films'\nifce = 'nowhere0'",
            "httpout.toml:2: option `ifce`: `nowhere0` is neither an IP address nor a network interface of this machine",
        ),
        (
            "rdirs = 'films'\nhdrs = ['A']",
            "httpout.toml:2: option `hdrs`: a name without a value: write `Name,Value,Name2,Value2`",
        ),
        (
            "rdirs = 'films'\npost = true",
            "httpout.toml:2: option `post` is not supported by this version of httpout yet",
        ),
        (
            "rdirs = 'gmem'",
            "httpout.toml:1: option `rdirs`: nothing writes to `gmem`: add `--wdir=gmem` for encoders that upload",
        ),
        (
            "rdirs = 'films'\ncert = 'tls/key.pem'\npkey = 'tls/key.pem'",
            "httpout.toml:2: option `cert`: `tls/key.pem` holds a private key and no certificate",
        ),
        (
            "rdirs = 'films'\n\n[[plugin]]\nfile = 'missing.wasm'",
            "httpout.toml:3: option `plugin`: cannot read plugin `missing.wasm`: No such file or directory (os error 2)",
        ),
        (
            "rdirs = 'films'\n[[server]]\nport = 1\n[[server.plugin]]\nfile = 'plugins/headers.wasm'\nmemory = '1k'",
            "httpout.toml:6: option `plugin_memory`: `1000` is not a number of bytes from 65536 to 4294967296",
        ),
        (
            "rdirs = 'films'\n[[plugin]]\nfile = 'plugins/auth.wasm'\ndirs = ['films']\n[[plugin]]\n\
             file = 'plugins/headers.wasm'\ndirs = ['films', 'flims']",
            "httpout.toml:7: option `plugin_dirs`: cannot open directory `flims`: No such file or directory (os error 2)",
        ),
        (
            "rdirs = 'films'\nplugin = []",
            "httpout.toml:2: option `plugin`: a file is missing: write `--plugin FILE.wasm`",
        ),
        (
            "log = 'info'",
            "nothing to serve: name a directory (`httpout DIR`) or a plugin (`--plugin FILE`)",
        ),
    ] {
        configure(&tree, text);
        let expected = format!("httpout: {expected}\n");
        let checked = outcome(check(&tree, &["httpout.toml"]));
        assert_eq!(
            checked,
            (Some(2), String::new(), expected.clone()),
            "{text}"
        );
        let mut start = command(["--config=httpout.toml"]);
        let started = start.current_dir(tree.path("")).output().expect("runs");
        assert_eq!(
            outcome(started),
            (Some(2), String::new(), expected),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_configuration_file_is_refused_in_one_line() {
    let tree = example();
    tree.write("bytes.toml", b"a = '\xff'");
    tree.write("large.toml", &vec![b'#'; (1 << 20) + 1]);
    for (file, expected) in [
        (
            "missing.toml",
            "`missing.toml` cannot be read: No such file",
        ),
        ("films", "`films` is a directory"),
        ("bytes.toml", "`bytes.toml` is not UTF-8 text"),
        (
            "large.toml",
            "`large.toml` is too large for a configuration file",
        ),
    ] {
        let (code, out, said) = outcome(check(&tree, &[&format!("--config={file}")]));
        assert_eq!((code, out.as_str()), (Some(2), ""));
        let line = format!("httpout: option `config`: {expected}");
        assert!(
            said.starts_with(&line) && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn a_configuration_file_without_its_option_is_told_how_it_is_given() {
    let tree = example();
    let file = configure(&tree, "rdirs = ['films']");
    let (code, out, said) = outcome(run([&file]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let hint = format!("; for a configuration file write `--config={file}`\n");
    assert!(said.ends_with(&hint), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn check_leaves_nothing_behind_and_binds_no_port() {
    let tree = example();
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("is bound").port();
    let text = format!(
        "port = {port}\nifce = '127.0.0.1'\nrdirs = ['films', 'new/uploads']\nwdir = 'new/uploads'\n\
         plugin = 'plugins/headers.wasm?x-a=1'"
    );
    configure(&tree, &text);
    // What a start would remove.
    tree.write("films/.httpout-tmp/1-1", b"unfinished");
    let cache = tree.path("cache");
    let before = names(&tree);
    let mut check = command(["check", "httpout.toml"]);
    let check = check
        .current_dir(tree.path(""))
        .env("XDG_CACHE_HOME", cache);
    let (code, report, said) = outcome(check.output().expect("runs"));
    assert_eq!((code, said.as_str()), (Some(0), ""), "{report}");
    assert_eq!(
        report,
        format!(
            "ok configuration file `httpout.toml`\n\
             ok http on port {port} of address 127.0.0.1\n\
             ok `/films/` is directory `films`\n\
             ok `/uploads/` is directory `new/uploads`\n\
             ok uploads go to directory `new/uploads`, which will be made\n\
             ok plugin `headers` from `plugins/headers.wasm`, asked about all methods\n"
        )
    );
    assert_eq!(names(&tree), before);
}

#[test]
fn check_of_a_running_servers_uploads_leaves_them_alone() {
    let tree = example();
    let incoming = tree.text("incoming");
    let server = Server::start(["--wdir", &incoming, "--rdirs", &incoming]);
    let mut upload = Client::connect(&server);
    upload.send(
        "PUT /new.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n",
    );
    // The server has begun the file.
    assert_eq!(upload.read_exact(25), b"HTTP/1.1 100 Continue\r\n\r\n");
    upload.send("abc");
    let (code, ..) = outcome(check(&tree, &["--wdir", &incoming]));
    assert_eq!(code, Some(0));
    upload.send("def");
    assert_eq!(upload.read_response("PUT").status, 201);
    assert_eq!(Client::get(&server, "/new.txt").body, b"abcdef");
}

#[test]
fn check_looks_at_the_state_of_plugins_and_leaves_it_alone() {
    let tree = example();
    let line = ["films", "--plugin=plugins/headers.wasm"];
    let with = |file: &str| {
        [&line[..], &[&format!("--plugin_state={file}")]]
            .concat()
            .join(" ")
    };
    let checked = |file: &str| {
        let line = with(file);
        let (code, report, said) = outcome(check(&tree, &line.split(' ').collect::<Vec<_>>()));
        assert!(said.lines().count() <= 1, "{said}");
        (code, report + &said)
    };
    let before = names(&tree);
    let (code, report) = checked("state");
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.ends_with("ok state of plugins is kept in `state`\n"),
        "{report}"
    );
    assert_eq!(names(&tree), before);
    tree.write("broken", b"no state");
    let fifo = Command::new("mkfifo").arg(tree.path("fifo")).status();
    assert!(fifo.expect("mkfifo runs").success());
    for (file, expected) in [
        ("broken", "`broken` is damaged"),
        ("films", "cannot read `films`: it is not a file"),
        ("fifo", "cannot read `fifo`: it is not a file"),
        ("nowhere/state", "cannot write beside `nowhere/state`"),
    ] {
        let (code, said) = checked(file);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let text = "rdirs = ['films']\nplugin = 'plugins/headers.wasm'\nplugin_state = 'broken'";
    configure(&tree, text);
    for arguments in [["check", "httpout.toml"], ["--config", "httpout.toml"]] {
        let mut command = command(arguments);
        let output = command.current_dir(tree.path("")).output();
        let (code, _, said) = outcome(output.expect("the binary runs"));
        assert_eq!(code, Some(2), "{said}");
        let place = "httpout: httpout.toml:3: option `plugin_state`: `broken` is damaged";
        assert!(said.contains(place), "{said}");
    }
}

#[test]
fn check_of_a_running_servers_state_leaves_it_alone() {
    let tree = example();
    let plugin = format!("--plugin={}", guest("store"));
    let state = format!("--plugin_state={}", tree.text("state"));
    let _server = Server::start([&plugin, &state]);
    let (code, _, said) = outcome(check(&tree, &[&plugin, &state]));
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn a_place_to_listen_is_for_one_server() {
    let tree = example();
    let two = |first: &str, second: &str| {
        let text = format!("rdirs = ['films']\n[[server]]\n{first}\n[[server]]\n{second}");
        configure(&tree, &text);
        let (code, _, said) = outcome(check(&tree, &["httpout.toml"]));
        assert!(said.lines().count() <= 1, "{said}");
        (code, said)
    };
    for (first, second, place) in [
        ("port = 8080", "port = [1, 8080]", "httpout.toml:5: "),
        (
            "port = 8080",
            "port = 8080\nifce = 'lo'",
            "httpout.toml:5: ",
        ),
        ("", "port = 80", "httpout.toml:5: "),
        ("port = [8080, 8080]", "", "httpout.toml:3: "),
        ("", "", ""),
    ] {
        let (code, said) = two(first, second);
        assert_eq!(code, Some(2), "{first}, {second}");
        let expected = format!("httpout: {place}option `port`: `80");
        assert!(said.starts_with(&expected), "{said}");
    }
    for (first, second) in [
        ("port = 0", "port = [0, 0]"),
        (
            "port = 8080\nifce = '127.0.0.1'",
            "port = 8080\nifce = '127.0.0.2'",
        ),
    ] {
        let (code, said) = two(first, second);
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }
}

#[test]
fn what_servers_share_may_stand_at_any_of_them() {
    let tree = example();
    let two = |first: &str, second: &str| {
        let text = format!(
            "rdirs = ['films']\nifce = '127.0.0.1'\n[[server]]\nport = 0\n{first}\n\
             [[server]]\nport = [0, 0]\n{second}\nplugin = 'plugins/headers.wasm'"
        );
        configure(&tree, &text)
    };
    let file = two("", "log = 'debug'\nplugin_cache = 'none'");
    let server = Server::spawn(&mut command(["--config", &file]));
    server.wait_for_log("there is no directory for their code");
    for (first, second) in [
        ("log = 'debug'", "log = 'warn'"),
        ("plugin_cache = 'a'", "plugin_cache = 'b'"),
        ("plugin_instances = 1", "plugin_instances = 2"),
        ("plugin_wait = 1", "plugin_wait = 2"),
        ("plugin_stack = '128k'", "plugin_stack = '256k'"),
        ("plugin_state = 'a'", "plugin_state = 'b'"),
    ] {
        two(first, second);
        let (code, _, said) = outcome(check(&tree, &["httpout.toml"]));
        let option = first.split(' ').next().expect("is there");
        assert_eq!(code, Some(2), "{option}");
        assert_eq!(
            said,
            format!(
                "httpout: httpout.toml:8: option `{option}`: the servers of a line share one: give it once, or the \
                 same to all\n"
            )
        );
    }
    two("plugin_instances = 2", "plugin_instances = 2");
    let (code, _, said) = outcome(check(&tree, &["httpout.toml"]));
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn each_plugin_has_the_grants_and_limits_of_its_own_table() {
    let tree = example();
    tree.write("data/a.txt", b"from the directory\n");
    let [reach, store] = ["reach", "store"].map(guest);
    let text = format!(
        "port = 0\nifce = '127.0.0.1'\nrdirs = ['films']\nplugin_fetch_size = 3\n\
         [[plugin]]\nfile = '{reach}'\nname = 'granted'\n\
         paths = ['/reach/read', '/reach/write', '/reach/fetch']\n\
         dirs = ['data']\nallow = ['127.0.0.1:*']\nfetch_size = '1k'\nfetches = 1\n\
         [[plugin]]\nfile = '{reach}'\nname = 'writer'\n\
         paths = ['/reach/append', '/reach/block']\ndirs = ['data:rw']\nallow = ['127.0.0.1:*']\n\
         [[plugin]]\nfile = '{reach}'\nname = 'other'\n\
         paths = ['/reach/list', '/reach/method', '/reach/file']\nallow = ['example.org']\n\
         [[plugin]]\nfile = '{store}'\nstate_size = 140\n"
    );
    let file = configure(&tree, &text);
    let server = Server::spawn(command(["--config", &file]).current_dir("/"));
    let ask = |target: &str| Client::get(&server, target).text().to_owned();
    let film = server.url("/film.txt");
    assert_eq!(ask("/reach/read?data/a.txt"), "from the directory\n");
    for refused in [
        "/reach/write?data/b.txt".to_owned(),
        "/reach/list?data".to_owned(),
        format!("/reach/method?GET,{film}"),
        format!("/reach/block?{film}"),
    ] {
        let said = ask(&refused);
        assert!(said.starts_with("error: "), "{refused}: {said}");
    }
    assert_eq!(Client::get(&server, "/reach/file?data/a.txt").status, 404);
    assert!(!ask("/reach/append?data/a.txt").starts_with("error"));
    assert_eq!(ask(&format!("/reach/fetch?{film}")), "200 a film\n");
    let said = ask("/store/set/key/0123456789");
    assert!(said.contains("at most 140 bytes"), "{said}");
    server.wait_for_log("plugin=\"other\"");
}

#[test]
fn check_takes_any_command_line() {
    let tree = example();
    let (code, report, said) = outcome(check(
        &tree,
        &[
            "httpout:rdirs=films:port=1",
            "httpout:rdirs=music:port=2:wdir=films",
            "--ifce=lo",
        ],
    ));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(
        report,
        "ok http on port 1 of interface `lo`\n\
         ok `/` is directory `films`\n\
         ok http on port 2 of interface `lo`\n\
         ok `/` is directory `music`\n\
         ok uploads go to directory `films`\n"
    );
    let (code, out, said) = outcome(check(&tree, &[]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("nothing to check"), "{said}");
    let (code, _, said) = outcome(check(&tree, &["films", "--prot=1"]));
    assert_eq!(code, Some(2));
    assert!(said.contains("did you mean `port`?"), "{said}");
}

#[test]
fn a_subcommand_goes_before_a_directory_of_its_name() {
    let tree = Tree::new();
    tree.write("check/hello.txt", b"hello\n");
    let (code, report, _) = outcome(check(&tree, &["./check"]));
    assert_eq!(code, Some(0));
    assert!(report.contains("ok `/` is directory `./check`"), "{report}");
    let mut server = command(["./check", "--port=0", "--ifce=127.0.0.1"]);
    let server = Server::spawn(server.current_dir(tree.path("")));
    assert_eq!(curl(&[&server.url("/hello.txt")]), "hello\n");
}

#[test]
fn plugins_are_compiled_and_initialised_by_the_check() {
    let tree = example();
    let plugin = format!("--plugin={}?init=error", guest("faulty"));
    let (code, out, said) = outcome(check(&tree, &["films", &plugin]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(
        said.contains("told to fail") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn bash_completes_command_lines() {
    let tree = example();
    let script = outcome(run(["completions", "bash"]));
    assert_eq!((script.0, script.2.as_str()), (Some(0), ""));
    tree.write("completions.bash", script.1.as_bytes());
    tree.write("httpout.toml", b"");
    for (line, expected) in [
        ("httpout ch", "check"),
        ("httpout fil", "films"),
        ("httpout --cors=", "off on auto"),
        ("httpout --cors=a", "auto"),
        ("httpout --cors a", "auto"),
        ("httpout --norang", "--norange"),
        ("httpout --max_cl", "--max_client_errors="),
        ("httpout --rdirs=fi", "films"),
        ("httpout --rdirs=films,mu", "films,music"),
        ("httpout httpout:cor", "cors="),
        ("httpout httpout:port=80:cors=o", "off on"),
        ("httpout --cert=tls/c", "tls/cert.pem"),
        ("httpout --config httpo", "httpout.toml"),
        ("httpout check http", "httpout.toml"),
        ("httpout explain max_cl", "max_client_errors"),
        ("httpout completions z", "zsh"),
        ("httpout --port=", ""),
    ] {
        assert_eq!(completed(&tree, line), expected, "{line}");
    }
}

/// What bash offers at the end of a line, whose words it splits at `=` and `:` too.
fn completed(tree: &Tree, line: &str) -> String {
    const ASK: &str = r#"
        source ./completions.bash
        compopt() { :; }
        COMP_LINE=$1 COMP_POINT=${#1}
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _httpout httpout
        echo "${COMPREPLY[*]}"
    "#;
    let spaced = line.replace('=', " = ").replace(':', " : ");
    let mut words: Vec<_> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    if line.ends_with(' ') {
        words.push("");
    }
    let mut bash = Command::new("bash");
    let bash = bash.args(["--norc", "-uc", ASK, "bash", line]).args(words);
    let output = bash.current_dir(tree.path("")).output().expect("bash runs");
    let (code, out, said) = outcome(output);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{line}");
    out.trim_end().to_owned()
}

#[test]
fn there_are_completions_for_three_shells_and_no_more() {
    for (shell, part) in [
        ("bash", "complete -F _httpout httpout"),
        ("zsh", "#compdef httpout"),
        ("fish", "complete -c httpout -l port"),
    ] {
        let (code, script, _) = outcome(run(["completions", shell]));
        assert_eq!(code, Some(0));
        assert!(script.contains(part), "{script}");
    }
    for arguments in [
        &["completions"][..],
        &["completions", "tcsh"],
        &["man", "x"],
    ] {
        let (code, out, said) = outcome(run(arguments));
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn the_manual_page_is_the_one_in_the_documents() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/httpout.1");
    let (code, printed, _) = outcome(run(["man"]));
    assert_eq!(code, Some(0));
    let generated = std::fs::read_to_string(page).expect("is there");
    assert!(printed == generated, "run `cargo xtask gen`");
}

#[test]
fn a_plugin_is_asked_about_its_paths_and_methods_only() {
    let tree = example();
    let text = "rdirs = 'films'\n\
                [[plugin]]\nfile = 'plugins/auth.wasm'\npaths = ['/private/']\n\
                config = { path = '/', user = 'alice', password = 'secret' }\n\
                [[plugin]]\nfile = 'plugins/headers.wasm'\nmethods = ['OPTIONS']\nconfig = { x-from = 'plugin' }";
    let file = configure(&tree, text);
    let server = Server::start(["--config", &file]);
    let open = Client::get(&server, "/film.txt");
    assert_eq!((open.status, open.field("x-from")), (200, None));
    for target in [
        "/private/film.txt",
        "/%70rivate/film.txt",
        "/x/../private/film.txt",
        "//private//film.txt",
        "/private",
    ] {
        assert_eq!(Client::get(&server, target).status, 401, "{target}");
    }
}
