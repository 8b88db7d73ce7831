//! What radio players show (documents: httpout, option `ice`; `Icy-MetaData: 1`).

use crate::support::media::make;
use crate::support::{Client, Server, Tree};

/// Media and titles of a stream, to its end.
fn hear(server: &Server, target: &str) -> (Vec<u8>, Vec<String>) {
    let answer = Client::ask(server, "GET", target, "Icy-MetaData: 1\r\n");
    let interval = answer.field("icy-metaint").expect("has metadata");
    let interval: usize = interval.parse().expect("is a number");
    let (mut media, mut titles) = (Vec::new(), Vec::new());
    let mut rest = &answer.body[..];
    while rest.len() > interval {
        let (part, behind) = rest.split_at(interval);
        media.extend_from_slice(part);
        let (length, behind) = behind.split_first().expect("is there");
        let (text, behind) = behind.split_at(usize::from(*length) * 16);
        let text = String::from_utf8_lossy(text);
        titles.push(text.trim_end_matches('\0').to_owned());
        rest = behind;
    }
    media.extend_from_slice(rest);
    (media, titles)
}

#[test]
fn a_property_is_the_title_whatever_the_tags_say() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "4");
    let input = format!("{path}:#StreamTitle=It's \u{201c}live\u{201d}");
    let url = "http://localhost/live.mp3";
    let server = Server::start(["-i", &input, "-o", url, "--ice", "--hold"]);
    let (media, titles) = hear(&server, "/live.mp3");
    assert!(media == bytes, "without the metadata it is the file");
    assert_eq!(titles[0], "StreamTitle='It's \u{201c}live\u{201d}';");
}

#[test]
fn a_stream_that_is_pulled_keeps_its_titles() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "8");
    let input = format!("{path}:#StreamTitle=From afar");
    let url = "http://localhost/live.mp3";
    let origin = Server::start(["-i", &input, "-o", url, "--ice", "--hold"]);
    let pulled = origin.url("/live.mp3");
    let options = ["--ice", "--hold", "--timeout=1"];
    let relay = Server::start(["-i", &pulled, "-o", url].iter().chain(&options));
    let (media, titles) = hear(&relay, "/live.mp3");
    assert!(media == bytes, "their metadata are no part of the media");
    let told = titles.iter().rfind(|title| !title.is_empty());
    assert_eq!(told.map(String::as_str), Some("StreamTitle='From afar';"));
}

#[test]
fn a_plugin_sets_the_title_and_another_one_later() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "8");
    let script = r#"
        httpout.on_request = (request) => {
            request.set_attribute('StreamTitle', 'First');
            request.throttle = (done) => {
                if (done > 30000) request.set_attribute('StreamTitle', 'Then');
                return 0;
            };
            request.send();
        };"#;
    tree.write("titles.js", script.as_bytes());
    let input = format!("{path}:#StreamTitle=Of the input");
    let (url, script) = ("http://localhost/live.mp3", tree.text("titles.js"));
    let server = Server::start(["-i", &input, "-o", url, "--ice", "--hold", "--js", &script]);
    let (media, titles) = hear(&server, "/live.mp3");
    assert!(media == bytes, "without the metadata it is the file");
    let told: Vec<&str> = titles
        .iter()
        .filter(|it| !it.is_empty())
        .map(|it| &**it)
        .collect();
    assert_eq!(told, ["StreamTitle='First';", "StreamTitle='Then';"]);
}
