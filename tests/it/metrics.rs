//! The page of metrics: option `metrics`, and the interface `metrics` of the contract.

use crate::support::{Client, Response, Server, Tree, guest};

const PAGE: &str = "--metrics=/_/metrics";

/// The samples of the page, each checked: `name{labels}` and the value.
fn scrape(server: &Server) -> Vec<(String, String)> {
    samples(&Client::get(server, "/_/metrics"))
}

fn samples(page: &Response) -> Vec<(String, String)> {
    assert_eq!(page.status, 200);
    assert_eq!(
        page.field("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = page.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut families: Vec<&str> = Vec::new();
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            match *rest.splitn(3, ' ').collect::<Vec<_>>() {
                ["EOF"] | ["HELP", _, _] => {}
                ["TYPE", name, "counter" | "gauge" | "histogram"] => {
                    assert!(!families.contains(&name), "{name} twice");
                    families.push(name);
                }
                _ => panic!("{line:?}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a series and its value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let family = families.last().expect("comes first");
        let ending = name.strip_prefix(family).expect("is of the family");
        assert!(["", "_total", "_sum", "_count", "_bucket"].contains(&ending));
        check_labels(labels);
        let _: f64 = value.parse().expect("is a number");
        samples.push((series.to_owned(), value.to_owned()));
    }
    let mut names: Vec<&String> = samples.iter().map(|(series, _)| series).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), samples.len(), "a series stands twice");
    samples
}

/// `a="x",b="y\""}`: quoted, with what is no label escaped.
fn check_labels(text: &str) {
    let mut rest = text;
    while rest != "}" {
        let (name, behind) = rest.split_once("=\"").expect("a label");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let mut is_escaped = false;
        let end = behind.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        rest = &behind[end.expect("it ends") + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn value<'a>(samples: &'a [(String, String)], series: &str) -> Option<&'a str> {
    let found = samples.iter().find(|(known, _)| known == series);
    found.map(|(_, value)| value.as_str())
}

fn number(samples: &[(String, String)], series: &str) -> u64 {
    let value = value(samples, series).unwrap_or_else(|| panic!("no {series}: {samples:?}"));
    value.parse().expect("is a whole number")
}

#[test]
fn the_page_has_the_servers_own_figures() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), PAGE]);
    let mut idle = Client::connect(&server);
    idle.send("GET /big.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    idle.read_response("GET");
    Client::get(&server, "/missing.txt");
    Client::ask(&server, "HEAD", "/hello.txt", "");
    Client::ask(&server, "BREW", "/hello.txt", "");
    let page = scrape(&server);
    let requests = |method: &str, status: &str| {
        let series = format!("httpout_requests_total{{method=\"{method}\",status=\"{status}\"}}");
        number(&page, &series)
    };
    assert_eq!((requests("GET", "2xx"), requests("GET", "4xx")), (1, 1));
    assert_eq!((requests("HEAD", "2xx"), requests("other", "5xx")), (1, 1));
    assert!(number(&page, "httpout_sent_bytes_total") > 3_000_000);
    assert!(number(&page, "httpout_received_bytes_total") > 100);
    assert_eq!(number(&page, "httpout_connections_total"), 5);
    assert!((2..=5).contains(&number(&page, "httpout_connections_open")));
    // Also this page is a request.
    let again = scrape(&server);
    let gets = "httpout_requests_total{method=\"GET\",status=\"2xx\"}";
    assert_eq!(number(&again, gets), 2);
}

#[test]
fn the_page_is_at_its_path_where_it_is_asked_for() {
    let tree = Tree::new();
    tree.write("www/_/metrics", b"a file");
    let server = Server::start([&tree.text("www"), PAGE]);
    let page = Client::get(&server, "/_/metrics?a=b");
    samples(&page);
    assert_eq!(page.field("cache-control"), Some("no-store"));
    let head = Client::ask(&server, "HEAD", "/%5f/./metrics", "");
    assert_eq!(head.status, 200);
    assert!(head.field("content-length").is_some());
    for method in ["PUT", "POST", "DELETE", "OPTIONS"] {
        let refused = Client::ask(&server, method, "/_/metrics", "Content-Length: 0\r\n");
        assert_eq!(refused.status, 405, "{method}");
        assert_eq!(refused.field("allow"), Some("GET, HEAD"));
    }
    assert_eq!(Client::get(&server, "/_/metrics/").status, 404);
    assert_eq!(Client::get(&server, "/_/metric").status, 404);
    let without = Server::start([&tree.text("www")]);
    assert_eq!(Client::get(&without, "/_/metrics").text(), "a file");
}

#[test]
fn a_plugin_may_guard_the_page() {
    let tree = Tree::new();
    let auth = guest("auth") + "?path=/_/&user=a&password=b";
    let server = Server::start([&tree.text("www"), PAGE, "--plugin", &auth]);
    assert_eq!(Client::get(&server, "/_/metrics").status, 401);
    let known = "Authorization: Basic YTpi\r\n";
    let page = samples(&Client::ask(&server, "GET", "/_/metrics", known));
    let asked = "httpout_plugins_requests_total{plugin=\"auth\"}";
    assert_eq!(number(&page, asked), 2);
}

/// A server with the guest that records what it is told.
fn store() -> Server {
    Server::start(["--plugin", &guest("store"), PAGE])
}

fn tell(server: &Server, command: &str) {
    let response = Client::get(server, &format!("/store/{command}"));
    assert_eq!(response.status, 200, "{command}");
}

#[test]
fn what_plugins_record_stands_on_the_page() {
    let server = store();
    tell(&server, "add/hits/x/2");
    tell(&server, "add/hits_total/x/3");
    tell(&server, "add/hits/y/1");
    tell(&server, "gauge/level/-1.5");
    tell(&server, "gauge/level/2.5");
    for time in ["0.003", "0.2", "20000"] {
        tell(&server, &format!("record/seconds/{time}"));
    }
    let page = scrape(&server);
    let hits = |label| format!("httpout_plugin_hits_total{{plugin=\"store\",label=\"{label}\"}}");
    assert_eq!(value(&page, &hits("x")), Some("5"));
    assert_eq!(value(&page, &hits("y")), Some("1"));
    let level = "httpout_plugin_level{plugin=\"store\"}";
    assert_eq!(value(&page, level), Some("2.5"));
    let bucket = |end: &str| {
        let series = "httpout_plugin_seconds_bucket";
        let series = format!("{series}{{le=\"{end}\",plugin=\"store\",label=\"a\"}}");
        number(&page, &series)
    };
    let counts = ["0.0025", "0.005", "0.25", "10000.0", "+Inf"].map(bucket);
    assert_eq!(counts, [0, 1, 2, 2, 3]);
    let of =
        |ending: &str| format!("httpout_plugin_seconds_{ending}{{plugin=\"store\",label=\"a\"}}");
    assert_eq!(value(&page, &of("sum")), Some("20000.203"));
    assert_eq!(value(&page, &of("count")), Some("3"));
}

#[test]
fn a_label_is_escaped() {
    let server = store();
    // A quote, a backslash, a line break that would begin a sample.
    tell(&server, "add/hits/%22%5c%0Ahttpout_forged%201/1");
    let page = scrape(&server);
    let series = r#"httpout_plugin_hits_total{plugin="store",label="\"\\\nhttpout_forged 1"}"#;
    assert_eq!(value(&page, series), Some("1"), "{page:?}");
}

#[test]
fn what_cannot_be_on_the_page_is_named_in_the_log_once() {
    let server = store();
    for _ in 0..2 {
        tell(&server, "add/a-b/x/1");
        tell(&server, "gauge/items_count/1");
        tell(&server, "gauge/level/NaN");
        tell(&server, "add/kind/x/1");
        tell(&server, "gauge/kind/1");
    }
    let page = scrape(&server);
    let plugins = page
        .iter()
        .filter(|(series, _)| series.starts_with("httpout_plugin_"));
    let kind = "httpout_plugin_kind_total{plugin=\"store\",label=\"x\"}";
    let series: Vec<&str> = plugins.map(|(series, _)| series.as_str()).collect();
    assert_eq!(series, [kind]);
    let log = server.wait_for_log("`kind` is not recorded: it is a counter already");
    for name in ["a-b", "items_count", "level", "kind"] {
        let line = format!("metric `{name}` is not recorded");
        assert_eq!(log.matches(&line).count(), 1, "{log}");
    }
}

#[test]
fn a_plugin_has_a_bounded_number_of_series() {
    let server = store();
    tell(&server, "series/1100");
    tell(&server, "add/hits/x/1");
    let page = scrape(&server);
    let plugins = page
        .iter()
        .filter(|(series, _)| series.starts_with("httpout_plugin_"));
    assert_eq!(plugins.count(), 1000);
    let log = server.wait_for_log("there are 1000 series of this plugin already");
    assert_eq!(log.matches("is not recorded").count(), 1, "{log}");
}

#[test]
fn faults_of_plugins_are_counted() {
    let server = store();
    assert_eq!(Client::get(&server, "/store/panic").status, 500);
    let page = scrape(&server);
    let of = |what: &str| format!("httpout_plugins_{what}_total{{plugin=\"store\"}}");
    assert_eq!(number(&page, &of("requests")), 2);
    assert_eq!(number(&page, &of("faults")), 1);
    assert_eq!(number(&page, "httpout_plugins_instances"), 0);
}

#[test]
fn one_page_has_the_figures_of_all_servers_of_the_line() {
    let plugin = guest("store");
    let mut server = Server::spawn(&mut crate::support::server::command([
        format!("httpout:port=0:ifce=127.0.0.1:plugin={plugin}"),
        "httpout:port=0:ifce=127.0.0.1:rdirs=.:metrics=/_/metrics".to_owned(),
    ]));
    let second = server.next_listener().1;
    tell(&server, "add/hits/x/1");
    assert_eq!(Client::get(&server, "/_/metrics").status, 404);
    let mut client = Client::connect_to(second);
    client.send("GET /_/metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    let page = samples(&client.read_response("GET"));
    let hits = "httpout_plugin_hits_total{plugin=\"store\",label=\"x\"}";
    assert_eq!(number(&page, hits), 1);
    let gets = "httpout_requests_total{method=\"GET\",status=\"2xx\"}";
    assert_eq!(number(&page, gets), 1);
}

#[test]
fn refusals_of_ratelimit_are_counted() {
    let tree = Tree::new();
    let plugin = guest("ratelimit") + "?limit=1&window=1000000000000&key=x-api-key";
    let server = Server::start([&tree.text("www"), PAGE, "--plugin", &plugin]);
    let ask = || Client::ask(&server, "GET", "/hello.txt", "X-Api-Key: a\r\n").status;
    assert_eq!([ask(), ask(), ask()], [200, 429, 429]);
    let refused = "httpout_plugin_ratelimit_refused_total{plugin=\"ratelimit\"}";
    assert_eq!(value(&scrape(&server), refused), Some("2"));
}
