//! TLS, several ports and several servers (documents: httpout, HTTPS server).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
};

use crate::support::piped::Piped;
use crate::support::server::{command, run};
use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, curl};

/// The standard tree with `cert.pem` and `pkey.pem` beside what is exposed.
fn tree_with_certificate() -> Tree {
    let tree = Tree::new();
    tree.write_certificate();
    tree
}

fn names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}

/// A server of the standard tree over TLS, with more arguments.
fn serve(tree: &Tree, arguments: &[&str]) -> Server {
    let [cert, pkey] = tls_options(tree);
    let www = tree.text("www");
    let all = [&www[..], &cert, &pkey];
    Server::start(all.iter().chain(arguments))
}

fn tls_options(tree: &Tree) -> [String; 2] {
    [
        format!("--cert={}", tree.text("cert.pem")),
        format!("--pkey={}", tree.text("pkey.pem")),
    ]
}

/// A file of keys that other tools made.
fn data(name: &str) -> String {
    format!("{}/../../tests/data/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn curl_gets_files_in_all_versions() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &[]);
    let (ca, url) = (tree.text("cert.pem"), server.url("/hello.txt"));
    assert!(url.starts_with("https://"), "{url}");
    for (tls, http, version) in [
        ("1.2", "--http1.1", "1.1"),
        ("1.2", "--http2", "2"),
        ("1.3", "--http1.1", "1.1"),
        ("1.3", "--http2", "2"),
    ] {
        let lowest = format!("--tlsv{tls}");
        let arguments = ["--cacert", &ca, &lowest, "--tls-max", tls, http];
        let said = curl(&[&arguments[..], &["-w", "%{http_version}", &url]].concat());
        assert_eq!(said, format!("hello\n{version}"), "{arguments:?}");
    }
}

#[test]
fn files_in_memory_are_uploaded_followed_and_read_over_tls() {
    let tree = tree_with_certificate();
    let [cert, pkey] = tls_options(&tree);
    let memory = ["--rdirs=gmem", "--wdir=gmem", "--maxs=0", "--reqlog=REC"];
    let server = Server::start([&cert[..], &pkey].iter().chain(&memory));
    let (ca, copy) = (tree.text("cert.pem"), tree.text("copy.bin"));
    let media = pattern(3_000_000);
    tree.write("media.bin", &media);
    for (number, http) in ["--http1.1", "--http2"].into_iter().enumerate() {
        let url = server.url(&format!("/v/{number}.mp4"));
        let https = ["--cacert", &ca, http, "--fail"];
        let with = |more: &[&str]| curl(&[&https[..], more].concat());
        with(&["-T", &tree.text("media.bin"), &url]);
        with(&["-o", &copy, &url]);
        assert!(std::fs::read(&copy).expect("is written") == media);
        with(&["-o", &copy, "-r", "1000000-1999999", &url]);
        assert!(std::fs::read(&copy).expect("is written") == media[1_000_000..2_000_000]);

        let url = server.url(&format!("/v/live{number}.ts"));
        let mut encoder = Piped::start(&["--cacert", &ca, http, "-T", "-", &url]);
        encoder.write("first");
        server.wait_for_log(&format!("Opening output v/live{number}.ts"));
        let mut reader = Piped::start(&["--cacert", &ca, http, &url]);
        reader.read("first");
        encoder.write("second");
        reader.read("second");
        assert_eq!((encoder.end(), reader.end()), Default::default());
        with(&["-X", "DELETE", &url]);
        assert_eq!(
            with(&["--no-fail", "-o", "/dev/null", "-w", "%{http_code}", &url]),
            "404"
        );
    }
}

#[test]
fn large_files_and_ranges_are_what_is_on_disk() {
    let tree = tree_with_certificate();
    let whole = pattern(20_000_000);
    tree.write("www/huge.bin", &whole);
    for more in [&[][..], &["--block_size=1024"]] {
        let server = serve(&tree, more);
        let (ca, url) = (tree.text("cert.pem"), server.url("/huge.bin"));
        let got = tree.text("got.bin");
        for http in ["--http1.1", "--http2"] {
            curl(&["--cacert", &ca, http, "-o", &got, &url]);
            let same = std::fs::read(&got).expect("is written") == whole;
            assert!(same, "{http} {more:?}");
            let range = ["-r", "1000000-1999999", "-o", &got];
            curl(&[&["--cacert", &ca, http], &range[..], &[&url]].concat());
            let part = std::fs::read(&got).expect("is written");
            assert!(part == whole[1_000_000..2_000_000], "{http} {more:?}");
        }
    }
}

#[test]
fn a_chain_is_sent_whole() {
    let tree = Tree::new();
    let authority = |name: &str| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("is a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params
    };
    let key = || KeyPair::generate().expect("there is randomness");
    let (root_key, middle_key, own_key) = (key(), key(), key());
    let root = authority("root.test").self_signed(&root_key);
    let root = root.expect("is signed");
    let root_issuer = Issuer::new(authority("root.test"), root_key);
    let middle = authority("middle.test").signed_by(&middle_key, &root_issuer);
    let middle = middle.expect("is signed");
    let middle_issuer = Issuer::new(authority("middle.test"), middle_key);
    let own = CertificateParams::new(names()).expect("are names");
    let own = own.signed_by(&own_key, &middle_issuer).expect("is signed");
    tree.write("root.pem", root.pem().as_bytes());
    tree.write("cert.pem", (own.pem() + &middle.pem()).as_bytes());
    tree.write("pkey.pem", own_key.serialize_pem().as_bytes());
    let server = serve(&tree, &[]);
    let url = server.url("/hello.txt");
    assert_eq!(curl(&["--cacert", &tree.text("root.pem"), &url]), "hello\n");
}

/// Each file holds certificate and key, as openssl made them.
#[test]
fn keys_of_all_usual_forms_are_read() {
    let tree = Tree::new();
    for name in ["rsa-pkcs1.pem", "ec-sec1.pem"] {
        let file = data(name);
        let options = [format!("--cert={file}"), format!("--pkey={file}")];
        let www = tree.text("www");
        let server = Server::start([&www, &options[0], &options[1]]);
        let url = server.url("/hello.txt");
        assert_eq!(curl(&["--cacert", &file, &url]), "hello\n", "{name}");
    }
}

#[test]
fn what_is_wrong_with_certificate_and_key_is_said_in_one_line() {
    let tree = tree_with_certificate();
    let other = KeyPair::generate().expect("there is randomness");
    tree.write("other.pem", other.serialize_pem().as_bytes());
    let pem = std::fs::read(tree.path("pkey.pem")).expect("is there");
    tree.write("cut.pem", &pem[..pem.len() - 30]);
    tree.write(
        "bad-certificate.pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let (cert, pkey) = (tree.text("cert.pem"), tree.text("pkey.pem"));
    let [other, cut, none, bad, text] = [
        "other.pem",
        "cut.pem",
        "none.pem",
        "bad-certificate.pem",
        "www/hello.txt",
    ]
    .map(|name| tree.text(name));
    let (pkcs1, pkcs8) = (data("encrypted-pkcs1.pem"), data("encrypted-pkcs8.pem"));
    for (cert, pkey, option, reason) in [
        (Some(&cert), None, "pkey", "is missing"),
        (None, Some(&pkey), "cert", "is missing"),
        (Some(&none), Some(&pkey), "cert", "No such file"),
        (Some(&cert), Some(&none), "pkey", "No such file"),
        (
            Some(&text),
            Some(&pkey),
            "cert",
            "no certificate in PEM form",
        ),
        (
            Some(&cert),
            Some(&text),
            "pkey",
            "no private key in PEM form",
        ),
        (
            Some(&pkey),
            Some(&pkey),
            "cert",
            "a private key and no certificate",
        ),
        (
            Some(&cert),
            Some(&cert),
            "pkey",
            "a certificate and no private key",
        ),
        (
            Some(&cert),
            Some(&other),
            "pkey",
            "not the key of the certificate",
        ),
        (Some(&cert), Some(&cut), "pkey", "cut off"),
        (Some(&bad), Some(&pkey), "cert", "cannot be used"),
        (Some(&pkcs1), Some(&pkcs1), "pkey", "is encrypted"),
        (Some(&pkcs8), Some(&pkcs8), "pkey", "is encrypted"),
    ] {
        let mut arguments = vec![tree.text("www"), "--port=0".to_owned()];
        arguments.extend(cert.map(|file| format!("--cert={file}")));
        arguments.extend(pkey.map(|file| format!("--pkey={file}")));
        let output = run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        let names = said.contains(&format!("option `{option}`: "));
        assert!(names && said.contains(reason), "{arguments:?}: {said}");
    }
}

#[test]
fn plain_http_on_a_tls_port_is_told_so() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    let answer = client.read_response("GET");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert!(client.is_closed());
}

#[test]
fn what_is_no_handshake_costs_that_client_only() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &[]);
    for garbage in [
        &[0; 100][..],
        &[22, 3, 1, 0, 5, 1, 2, 3, 4, 5],
        &[0xff; 70_000],
    ] {
        let mut client = Client::connect(&server);
        client.try_send(garbage);
        client.shutdown();
        client.read_all();
    }
    let url = server.url("/hello.txt");
    assert_eq!(curl(&["--cacert", &tree.text("cert.pem"), &url]), "hello\n");
}

#[test]
fn a_handshake_that_does_not_go_on_is_cut() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &["--timeout=1"]);
    let mut silent = Client::connect(&server);
    let mut half = Client::connect(&server);
    half.try_send(&[22, 3, 1, 2]);
    assert!(silent.is_closed() && half.is_closed());
}

#[test]
fn a_handshake_holds_up_no_stop() {
    let tree = tree_with_certificate();
    let mut server = serve(&tree, &["--timeout=0"]);
    let mut half = Client::connect(&server);
    half.try_send(&[22, 3, 1, 2]);
    let url = server.url("/hello.txt");
    // Accepted in order: the half one is there before this one is answered.
    assert_eq!(curl(&["--cacert", &tree.text("cert.pem"), &url]), "hello\n");
    server.signal("TERM");
    assert!(half.is_closed());
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn sessions_are_resumed_with_the_cheapest_cipher() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &[]);
    let mut provider = aws_lc_rs::default_provider();
    // The client would like others better.
    provider.cipher_suites.reverse();
    let mut roots = RootCertStore::empty();
    let cert = CertificateDer::from_pem_file(tree.path("cert.pem")).expect("is there");
    roots.add(cert).expect("is a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has ciphers")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let kinds = [(); 3].map(|()| {
        let session = tls_session(&config, server.address);
        let suite = session.negotiated_cipher_suite().map(|suite| suite.suite());
        assert_eq!(suite, Some(CipherSuite::TLS13_AES_128_GCM_SHA256));
        session.handshake_kind()
    });
    // The first may need a second round, for its key share.
    assert_ne!(kinds[0], Some(HandshakeKind::Resumed));
    assert_eq!(kinds[1..], [Some(HandshakeKind::Resumed); 2]);
}

/// The session of a request that was answered.
fn tls_session(config: &Arc<ClientConfig>, address: SocketAddr) -> ClientConnection {
    let name = ServerName::try_from("localhost").expect("is a name");
    let session = ClientConnection::new(config.clone(), name).expect("the settings fit");
    let socket = TcpStream::connect(address).expect("the server listens");
    let mut stream = StreamOwned::new(session, socket);
    let request = b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it ends cleanly");
    assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
    stream.conn
}

#[test]
fn errors_in_a_row_do_not_end_http_2() {
    let tree = tree_with_certificate();
    let server = serve(&tree, &["--max_client_errors=1"]);
    let (missing, hello) = (server.url("/missing"), server.url("/hello.txt"));
    let quiet = ["-o", "/dev/null", "-w", "%{num_connects}"];
    let urls = [&missing[..], &missing, &hello].map(|url| [&quiet[..], &[url]].concat());
    let ca = tree.text("cert.pem");
    let said = curl(&[&["--cacert", &ca, "--http2"], &urls.concat()[..]].concat());
    assert!(said.starts_with('1') && said.ends_with("00"), "{said}");
}

#[test]
fn of_several_ports_the_first_is_plain_and_limits_are_shared() {
    let tree = tree_with_certificate();
    let ca = tree.text("cert.pem");
    let mut server = serve(&tree, &["--port=0,0,0", "--maxc=1"]);
    assert!(server.url("/").starts_with("http://"));
    let others = [server.next_listener(), server.next_listener()];
    for (is_secure, address) in others {
        assert!(is_secure);
        let url = format!("https://{address}/hello.txt");
        // The place of the client before may not be free yet.
        let arguments = ["--cacert", &ca, "--retry", "20", "--retry-all-errors", &url];
        assert_eq!(curl(&arguments), "hello\n");
    }
    let mut plain = Client::connect(&server);
    while {
        plain.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        plain.read_response("GET").status != 200
    } {
        plain = Client::connect(&server);
    }
    assert!(Client::connect_to(others[0].1).is_closed());
    server.wait_for_log("`maxc`");
}

#[test]
fn several_ports_without_tls_are_all_plain() {
    let tree = Tree::new();
    let mut server = Server::start([&tree.text("www"), "--port=0,0"]);
    let (is_secure, second) = server.next_listener();
    assert!(!is_secure && server.url("/").starts_with("http://"));
    for address in [server.address, second] {
        let url = format!("http://{address}/hello.txt");
        assert_eq!(curl(&[&url]), "hello\n");
    }
}

#[test]
fn two_filters_are_two_servers() {
    let tree = tree_with_certificate();
    tree.write("second/own.txt", b"second");
    let plain = format!("httpout:rdirs={}", tree.text("www"));
    let secure = format!(
        "httpout:rdirs={}:cert={}:pkey={}:maxc=1",
        tree.text("second"),
        tree.text("cert.pem"),
        tree.text("pkey.pem")
    );
    let mut server = Server::spawn(&mut command([
        &plain,
        &secure,
        "--port=0",
        "--ifce=127.0.0.1",
    ]));
    let (is_secure, second) = server.next_listener();
    assert!(is_secure);
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    assert_eq!(Client::get(&server, "/own.txt").status, 404);
    let url = format!("https://{second}/own.txt");
    assert_eq!(curl(&["--cacert", &tree.text("cert.pem"), &url]), "second");
    let mut open = Client::connect_to(second);
    server.signal("TERM");
    assert!(open.is_closed());
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn one_port_that_is_taken_ends_the_start() {
    let tree = Tree::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let port = taken.local_addr().expect("is bound").port();
    let www = tree.text("www");
    let list = format!("--port=0,{port}");
    let second = format!("httpout:rdirs={www}:port={port}");
    let first = format!("httpout:rdirs={www}:port=0");
    for arguments in [&[&www[..], &list][..], &[&first, &second]] {
        let output = run(arguments.iter().chain(&["--ifce=127.0.0.1"]));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the port is in use"), "{said}");
        assert_eq!(
            (said.lines().count(), output.stdout.len()),
            (1, 0),
            "{said}"
        );
    }
}
