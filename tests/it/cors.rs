//! Cross-origin requests and OPTIONS (documents: option `cors`).

use crate::support::{Client, Response, Server, Tree, guest, serve};

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
