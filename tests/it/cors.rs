//! Cross-origin requests and OPTIONS (documents: option `cors`).

use crate::support::{Client, Response, Server, Tree, curl, guest, serve};

const ORIGIN: &str = "Origin: https://player.example\r\n";

fn vary(response: &Response) -> String {
    response.list("vary")
}

#[test]
fn auto_lets_scripts_read_where_there_is_an_origin() {
    let tree = Tree::new();
    let server = serve(&tree);
    for (target, status) in [
        ("/hello.txt", 200),
        ("/missing.txt", 404),
        ("/%", 400),
        ("/sub/", 403),
    ] {
        let cross = Client::ask(&server, "GET", target, ORIGIN);
        assert_eq!(cross.status, status, "{target}");
        let allowed = cross.field("access-control-allow-origin");
        assert_eq!(allowed, Some("https://player.example"), "{target}");
        let exposed = cross
            .field("access-control-expose-headers")
            .expect("is there");
        assert!(
            exposed.contains("Content-Range") && exposed.contains("Server-UTC"),
            "{exposed}"
        );
        assert_eq!(cross.field("timing-allow-origin"), Some("*"));
        let same = Client::get(&server, target);
        assert_eq!(same.field("access-control-allow-origin"), None);
        for response in [cross, same] {
            assert!(vary(&response).contains("origin"), "{target}");
        }
    }
}

#[test]
fn on_and_off_do_not_depend_on_the_request() {
    let tree = Tree::new();
    let on = Server::start([&tree.text("www"), "--cors=on"]);
    let allowed = |server: &Server, fields: &str| {
        let response = Client::ask(server, "GET", "/hello.txt", fields);
        response
            .field("access-control-allow-origin")
            .map(str::to_owned)
    };
    assert_eq!(allowed(&on, "").as_deref(), Some("*"));
    assert_eq!(
        allowed(&on, ORIGIN).as_deref(),
        Some("https://player.example")
    );
    let off = Server::start([&tree.text("www"), "--cors=off"]);
    assert_eq!(allowed(&off, ORIGIN), None);
    assert!(!vary(&Client::get(&off, "/hello.txt")).contains("origin"));
}

#[test]
fn a_preflight_request_is_answered_before_any_plugin() {
    let tree = Tree::new();
    let auth = guest("auth") + "?user=alice&password=x";
    let server = Server::start([&tree.text("www"), "--plugin", &auth]);
    let fields = format!(
        "{ORIGIN}Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization, cmcd-request\r\n"
    );
    let preflight = Client::ask(&server, "OPTIONS", "/hello.txt", &fields);
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.field("access-control-allow-methods"),
        Some("GET, HEAD, OPTIONS")
    );
    assert_eq!(
        preflight.field("access-control-allow-headers"),
        Some("authorization, cmcd-request")
    );
    assert_eq!(
        preflight.field("access-control-allow-origin"),
        Some("https://player.example")
    );
    assert!(preflight.field("access-control-max-age").is_some());
    let refused = Client::ask(&server, "GET", "/hello.txt", ORIGIN);
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.field("access-control-allow-origin"),
        Some("https://player.example")
    );
    // Without `Access-Control-Request-Method` it is an ordinary request.
    assert_eq!(
        Client::ask(&server, "OPTIONS", "/hello.txt", ORIGIN).status,
        401
    );
}

/// A form of any page can send a POST without asking first.
#[test]
fn pages_of_other_origins_may_write_only_where_the_user_says_so() {
    let tree = Tree::new();
    let www = tree.text("www");
    let start = |cors: &str| {
        let directories = [format!("--rdirs={www}"), format!("--wdir={www}")];
        Server::start(directories.into_iter().chain([cors.to_owned()]))
    };
    let asking = format!("{ORIGIN}Access-Control-Request-Method: PUT\r\n");
    for (cors, allowed) in [
        ("--cors=auto", Some("GET, HEAD, OPTIONS")),
        ("--cors=off", None),
    ] {
        let server = start(cors);
        for origin in [ORIGIN, "Origin: null\r\n", "Origin: http://test:81\r\n"] {
            for method in ["PUT", "POST", "DELETE"] {
                let fields = format!("{origin}Content-Length: 0\r\n");
                let answer = Client::ask(&server, method, "/hello.txt", &fields);
                assert_eq!(answer.status, 403, "{cors} {method} {origin}");
                assert!(answer.text().contains("`cors=on`"), "{}", answer.text());
            }
        }
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
        let preflight = Client::ask(&server, "OPTIONS", "/hello.txt", &asking);
        assert_eq!(preflight.field("access-control-allow-methods"), allowed);
        // Pages that lie here, and encoders.
        for fields in ["", "Origin: http://test\r\n", "Origin: https://TEST\r\n"] {
            let written = Client::put(&server, "/own.txt", fields, b"own");
            assert!(matches!(written.status, 200 | 201), "{cors} {fields}");
        }
        let (url, own) = (server.url("/own.txt"), server.url(""));
        let put = |origin: &str| {
            let field = format!("Origin: {origin}");
            let status = ["-w", "%{http_code}", "-o", "/dev/null"];
            let request = ["--http2-prior-knowledge", "-d", "x", "-H", &field, &url];
            curl(&[status.as_slice(), &request].concat())
        };
        assert_eq!(put(&own), "200", "{cors}");
        assert_eq!(put("https://player.example"), "403", "{cors}");
    }
    let server = start("--cors=on");
    let written = Client::put(&server, "/all.txt", ORIGIN, b"all");
    assert_eq!(written.status, 201);
    let preflight = Client::ask(&server, "OPTIONS", "/all.txt", &asking);
    assert_eq!(
        preflight.field("access-control-allow-methods"),
        Some("GET, HEAD, PUT, POST, DELETE, OPTIONS")
    );
}

#[test]
fn a_plugin_decides_about_origins_where_it_wants_to() {
    let tree = Tree::new();
    let plugin = guest("headers") + "?access-control-allow-origin=https://own.example";
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    let response = Client::ask(&server, "GET", "/hello.txt", ORIGIN);
    assert_eq!(
        response.field("access-control-allow-origin"),
        Some("https://own.example")
    );
}

#[test]
fn options_tells_what_is_allowed() {
    let tree = Tree::new();
    let server = serve(&tree);
    for (target, status) in [
        ("/hello.txt", 200),
        ("/sub/", 200),
        ("*", 200),
        ("/missing.txt", 404),
    ] {
        let response = Client::ask(&server, "OPTIONS", target, "");
        assert_eq!(response.status, status, "{target}");
        if status == 200 {
            assert_eq!(
                response.field("allow"),
                Some("GET, HEAD, OPTIONS"),
                "{target}"
            );
            assert_eq!(response.field("content-length"), Some("0"), "{target}");
        }
    }
}
