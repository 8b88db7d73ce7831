//! Plugins that ask other servers (option `plugin_allow`): whom they may, and what others can do to them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rcgen::CertifiedKey;

use crate::support::server::{command, run};
use crate::support::{Client, Server, Tree, guest};

/// A server with the plugin `reach` and these options.
fn serve(tree: &Tree, options: &[&str]) -> Server {
    let (www, plugin) = (tree.text("www"), guest("reach"));
    let first = [&www[..], "--plugin_timeout=60000", "--plugin", &plugin];
    Server::start(first.iter().chain(options))
}

/// Another server, which does with each connection what it is told. What it reads first comes out.
pub(crate) struct Other {
    pub(crate) address: SocketAddr,
    heads: Receiver<String>,
}

impl Other {
    pub(crate) fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + Clone + 'static) -> Other {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("is bound");
        let (sender, heads) = channel();
        thread::spawn(move || {
            while let Ok((mut socket, _)) = listener.accept() {
                let (sender, answer) = (sender.clone(), answer.clone());
                thread::spawn(move || {
                    let head = read_head(&mut socket);
                    // A test that has ended does not listen any more.
                    let _ = sender.send(head);
                    answer(&mut socket);
                });
            }
        });
        Other { address, heads }
    }

    /// One that answers so.
    pub(crate) fn saying(answer: &'static str) -> Other {
        Other::start(move |socket| {
            // The server may have heard enough.
            let _ = socket.write_all(answer.as_bytes());
        })
    }

    /// One that never answers; it notes when it is left.
    pub(crate) fn silent() -> (Other, Receiver<()>) {
        let (sender, left) = channel();
        let other = Other::start(move |socket| {
            while socket.read(&mut [0; 100]).is_ok_and(|count| count > 0) {}
            let _ = sender.send(());
        });
        (other, left)
    }

    fn url(&self) -> String {
        format!("http://{}/asked?a=b", self.address)
    }

    pub(crate) fn head(&self) -> String {
        let head = self.heads.recv_timeout(Duration::from_secs(60));
        head.expect("somebody asks")
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.heads.try_recv().is_ok()
    }
}

fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

fn ask(server: &Server, target: &str) -> String {
    let response = Client::get(server, &format!("/reach/{target}"));
    assert_eq!(response.status, 200, "{target}: {}", server.log());
    response.text().to_owned()
}

#[test]
fn a_plugin_that_asks_others_needs_a_grant() {
    let output = run(["--port=0", "--plugin", &guest("reach")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), said.lines().count()),
        (Some(2), 1),
        "{said}"
    );
    assert!(
        said.contains("reach.wasm") && said.contains("option `plugin_allow`"),
        "{said}"
    );
}

#[test]
fn a_granted_server_is_asked_in_both_ways() {
    let (tree, other) = (Tree::new(), Other::saying(FINE));
    let address = other.address;
    for grant in [
        format!("http://{address}"),
        "127.0.0.0/8:*".to_owned(),
        "127.0.0.1:*".to_owned(),
    ] {
        let server = serve(&tree, &[&format!("--plugin_allow=example.invalid,{grant}")]);
        assert_eq!(ask(&server, &format!("fetch?{}", other.url())), "200 fine");
        assert_eq!(
            other.head(),
            format!("GET /asked?a=b HTTP/1.1\r\nhost: {address}\r\n\r\n")
        );
        assert_eq!(ask(&server, &format!("block?{}", other.url())), "200 fine");
        other.head();
    }
}

#[test]
fn localhost_is_this_machine() {
    let (tree, other) = (Tree::new(), Other::saying(FINE));
    let port = other.address.port();
    let server = serve(&tree, &[&format!("--plugin_allow=localhost:{port}")]);
    let url = format!("http://localhost:{port}");
    assert_eq!(ask(&server, &format!("fetch?{url}/")), "200 fine");
    assert!(
        other
            .head()
            .contains(&format!("host: localhost:{port}\r\n"))
    );
}

#[test]
fn what_is_not_granted_is_never_asked() {
    let (tree, other) = (Tree::new(), Other::saying(FINE));
    let port = other.address.port();
    let another = port.wrapping_add(1).max(1);
    for grant in [
        "example.invalid".to_owned(),
        format!("127.0.0.1:{another}"),
        format!("https://127.0.0.1:{port}"),
        // Its own port is the usual one.
        "127.0.0.1".to_owned(),
        // The Internet, not this machine.
        "0.0.0.0/0:*".to_owned(),
        "localhost:*".to_owned(),
    ] {
        let server = serve(&tree, &[&format!("--plugin_allow={grant}")]);
        for host in [
            "127.0.0.1",
            "[::ffff:127.0.0.1]",
            "127.1",
            "2130706433",
            "user@127.0.0.1",
        ] {
            let said = ask(&server, &format!("fetch?http://{host}:{port}/"));
            assert!(said.starts_with("error: "), "{grant} {host}: {said}");
        }
        server.wait_for_log("refused: it is not granted by option `plugin_allow`");
    }
    assert!(!other.was_asked());
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    let tree = Tree::new();
    // The machine's own name leads to itself, or nowhere.
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux has it");
    let name = name.trim();
    let server = serve(&tree, &[&format!("--plugin_allow={name}:*")]);
    let port = server.address.port();
    let said = ask(&server, &format!("fetch?http://{name}:{port}/hello.txt"));
    assert!(
        said.contains("none of its addresses") || said.contains("not known"),
        "{said}"
    );
    assert!(
        ask(
            &server,
            &format!("fetch?http://{}.invalid/", "x".repeat(60))
        )
        .starts_with("error: ")
    );
}

#[test]
fn nothing_that_a_guest_writes_makes_a_request_another() {
    let (tree, other) = (Tree::new(), Other::saying(FINE));
    let server = serve(&tree, &[&format!("--plugin_allow={}", other.address)]);
    let url = other.url();
    for name in [
        "host",
        "connection",
        "transfer-encoding",
        "upgrade",
        "keep-alive",
        "proxy-connection",
    ] {
        let said = ask(&server, &format!("field?{name},{url}"));
        assert!(said.starts_with("error: "), "{name}: {said}");
    }
    for method in ["CONNECT", "GET%20/", "G:T"] {
        let said = ask(&server, &format!("method?{method},{url}"));
        assert!(said.starts_with("error: "), "{method}: {said}");
    }
    assert!(ask(&server, &format!("break?{url}")).starts_with("error: "));
    // A length that no body has.
    assert!(ask(&server, &format!("field?content-length,{url}")).starts_with("error: "));
    assert!(!other.was_asked());
    assert_eq!(ask(&server, &format!("method?REPORT,{url}")), "200 fine");
}

#[test]
fn a_body_is_sent_with_its_length() {
    let (tree, www) = (Tree::new(), Tree::new());
    let upstream = Server::start([format!("--wdir={}", www.text("www"))]);
    let server = serve(&tree, &[&format!("--plugin_allow={}", upstream.address)]);
    let said = ask(&server, &format!("post?{}", upstream.url("/new.txt")));
    assert!(said.starts_with("201 "), "{said}");
    let written = std::fs::read(www.path("www/new.txt")).expect("was uploaded");
    assert_eq!(written, vec![b'x'; 300_000]);
}

#[test]
fn redirects_are_the_guests_affair() {
    let tree = Tree::new();
    let other = Other::saying(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    );
    let server = serve(&tree, &[&format!("--plugin_allow={}", other.address)]);
    assert_eq!(ask(&server, &format!("fetch?{}", other.url())), "302 ");
}

#[test]
fn a_response_is_bounded() {
    let tree = Tree::new();
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\nbeginning";
    let endless = Other::start(|socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while socket.write_all(&[b'x'; 10_000]).is_ok() {}
    });
    let long_head = Other::start(|socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n");
        while socket
            .write_all(b"x-field: 1234567890123456789012345678901234567890\r\n")
            .is_ok()
        {}
    });
    for other in [Other::saying(announced), endless, long_head] {
        let server = serve(
            &tree,
            &[
                &format!("--plugin_allow={}", other.address),
                "--plugin_fetch_size=1M",
            ],
        );
        for how in ["fetch", "block"] {
            let said = ask(&server, &format!("{how}?{}", other.url()));
            assert!(said.starts_with("error: "), "{said}");
        }
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
}

#[test]
fn what_is_no_response_is_an_error() {
    let tree = Tree::new();
    for answer in [
        "",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ] {
        let other = Other::saying(answer);
        let server = serve(&tree, &[&format!("--plugin_allow={}", other.address)]);
        let said = ask(&server, &format!("fetch?{}", other.url()));
        assert!(
            said.starts_with("error: ") || said == "101 ",
            "{answer}: {said}"
        );
    }
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    let tree = Tree::new();
    let (other, left) = Other::silent();
    let allow = format!("--plugin_allow={}", other.address);
    let server = serve(&tree, &[&allow, "--timeout=2", "--plugin_timeout=300"]);
    // Within a call, by the limit of calls; between them, by `timeout`. Other requests go on meanwhile.
    let mut clients: Vec<Client> = (0..2).map(|_| Client::connect(&server)).collect();
    for (client, how) in clients.iter_mut().zip(["block", "fetch"]) {
        client.send(&format!(
            "GET /reach/{how}?{} HTTP/1.1\r\nHost: test\r\n\r\n",
            other.url()
        ));
    }
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    assert_eq!(clients[0].read_response("GET").status, 500);
    server.wait_for_log("`on-request` took longer than 300 ms");
    let waited = clients[1].read_response("GET");
    assert!(
        waited.status == 504 || waited.text().starts_with("error: "),
        "{}",
        waited.status
    );
    // The connections are closed.
    for _ in 0..2 {
        left.recv_timeout(Duration::from_secs(60))
            .expect("it was left");
    }
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let tree = Tree::new();
    let other = Other::start(|socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning");
        while socket.read(&mut [0; 100]).is_ok_and(|count| count > 0) {}
    });
    let allow = format!("--plugin_allow={}", other.address);
    let server = serve(&tree, &[&allow, "--timeout=1"]);
    let stalled = Client::get(&server, &format!("/reach/fetch?{}", other.url()));
    assert!(stalled.status == 504 || stalled.text().starts_with("error: "));
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
}

#[test]
fn requests_under_way_are_bounded_and_freed() {
    let tree = Tree::new();
    let (silent, _left) = Other::silent();
    let other = Other::saying(FINE);
    let allow = format!("--plugin_allow={},{}", silent.address, other.address);
    let server = serve(&tree, &[&allow, "--plugin_fetches=2"]);
    let mut waiting = Client::connect(&server);
    waiting.send(&format!(
        "GET /reach/several?{} HTTP/1.1\r\nHost: test\r\n\r\n",
        silent.url()
    ));
    silent.head();
    silent.head();
    // The third of them was one too many, and so is any other.
    server.wait_for_log("too many requests under way (option `plugin_fetches`)");
    drop(waiting);
    // The client has left, and with it the plugin's instance and what it asked.
    loop {
        if ask(&server, &format!("fetch?{}", other.url())) == "200 fine" {
            break;
        }
    }
}

#[test]
fn a_plugin_that_is_loaded_anew_has_no_more_requests_under_way() {
    let tree = Tree::new();
    let (silent, _left) = Other::silent();
    let allow = format!("--plugin_allow={}", silent.address);
    let server = serve(&tree, &[&allow, "--plugin_fetches=1"]);
    let target = format!("/reach/fetch?{}", silent.url());
    let mut waiting = Client::connect(&server);
    waiting.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
    silent.head();
    server.signal("HUP");
    server.wait_for_log("SIGHUP: done");
    let said = Client::get(&server, &target);
    assert!(said.text().starts_with("error: "), "{said:?}");
    server.wait_for_log("too many requests under way (option `plugin_fetches`)");
}

#[test]
fn https_trusts_whom_the_system_trusts() {
    let tree = Tree::new();
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("is a name");
    tree.write("cert.pem", cert.pem().as_bytes());
    tree.write("pkey.pem", signing_key.serialize_pem().as_bytes());
    let upstream = Server::start([
        tree.text("www"),
        format!("--cert={}", tree.text("cert.pem")),
        format!("--pkey={}", tree.text("pkey.pem")),
    ]);
    let port = upstream.address.port();
    let start = |trusted: &str| {
        let (www, plugin) = (tree.text("www"), guest("reach"));
        let allow = format!("--plugin_allow=https://localhost:{port},127.0.0.1:{port}");
        let mut command = command(["--port=0", "--ifce=127.0.0.1", &www, &allow]);
        command.args(["--plugin", &plugin]);
        Server::spawn(command.env("SSL_CERT_FILE", tree.text(trusted)))
    };
    let url = format!("https://localhost:{port}/hello.txt");
    let server = start("cert.pem");
    assert_eq!(ask(&server, &format!("fetch?{url}")), "200 hello\n");
    // It has another name.
    let said = ask(
        &server,
        &format!("fetch?https://127.0.0.1:{port}/hello.txt"),
    );
    assert!(said.contains("certificate"), "{said}");
    // Nobody has vouched for it.
    let said = ask(&start("www/empty.txt"), &format!("fetch?{url}"));
    assert!(said.contains("certificate"), "{said}");
    // Plain HTTP is not what was granted.
    let said = ask(&server, &format!("fetch?http://localhost:{port}/"));
    assert!(said.contains("plugin_allow"), "{said}");
}

#[test]
fn fetch_lets_pass_whom_the_service_lets_pass() {
    let tree = Tree::new();
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("HTTP/1.1 204 No Content\r\n\r\n", 200),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n",
            401,
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            502,
        ),
        ("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n", 502),
        ("", 502),
    ] {
        let other = Other::saying(answer);
        let (www, url) = (tree.text("www"), other.url());
        let plugin = format!("{}?url={}", guest("fetch"), url.replace('=', "%3D"));
        let allow = format!("--plugin_allow={}", other.address);
        let server = Server::start([&www, "--plugin", &plugin, &allow]);
        let fields = "Authorization: Bearer x\r\nCookie: a=1\r\nX-Other: 2\r\n";
        let response = Client::ask(&server, "GET", "/hello.txt?c=d", fields);
        assert_eq!(response.status, status, "{answer}");
        let challenge = (status == 401).then_some("Basic realm=\"a\"");
        assert_eq!(response.field("www-authenticate"), challenge);
        let head = other.head();
        for line in [
            "x-original-method: GET",
            "x-original-url: /hello.txt?c=d",
            "authorization: Bearer x",
            "cookie: a=1",
        ] {
            assert!(head.contains(&format!("{line}\r\n")), "{head}");
        }
        assert!(!head.contains("x-other"), "{head}");
    }
}
