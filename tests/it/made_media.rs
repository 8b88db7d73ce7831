//! Media that must be made (documents: httpout, HTTP server file sink): DASH of an input, live and as a whole.

use crate::support::made::{
    LIVE, attribute, film, get_until, line, maker, manifest, start, wait_for_end,
};
use crate::support::server::run;
use crate::support::{Client, Server, Tree, content, ffmpeg, is_empty};

/// `gpac -i SOURCE reframer:rt=on -o http://localhost:8080/live.mpd --rdirs=temp --dmode=dynamic --cdur=0.1`
#[test]
fn the_line_of_the_document_makes_live_segments_that_are_read_while_they_grow() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 40, 25);
    for place in [tree.text("temp"), "gmem".to_owned()] {
        let rdirs = format!("--rdirs={place}");
        let output = ["-o", "http://127.0.0.1:0/live.mpd", &rdirs];
        let line = ["-i", &source, "reframer:rt=on"];
        let server = start(&[&line[..], &output, &LIVE].concat());
        // It is waited for.
        let text = manifest(&server, "/live.mpd");
        assert_eq!(attribute(&text, "type"), Some("dynamic"));
        let clock =
            r#"<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/_/time"/>"#;
        assert!(text.contains(clock), "{text}");
        assert_eq!(attribute(&text, "availabilityTimeOffset"), Some("0.900"));
        assert_eq!(attribute(&text, "minimumUpdatePeriod"), Some("PT1S"));
        // At the live edge: more comes while it is read.
        server.wait_for_log("Opening output live-0-00002.m4s");
        let mut edge = Client::connect(&server);
        edge.send("GET /live-0-00002.m4s HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = edge.read_head();
        assert_eq!(head.field("transfer-encoding"), Some("chunked"));
        let mut pieces = vec![edge.read_chunk().expect("begins")];
        assert!(!server.log().contains("Closing output live-0-00002.m4s"));
        while let Some(piece) = edge.read_chunk() {
            pieces.push(piece);
        }
        // A busy machine gives several chunks at once.
        assert!(pieces.len() >= 3, "{place}: {} pieces", pieces.len());
        server.wait_for_log("Closing output live-0-00002.m4s");
        let whole = Client::get(&server, "/live-0-00002.m4s");
        assert!(whole.body == pieces.concat());
        if place != "gmem" {
            assert!(content(&tree, "temp/live-0-00002.m4s") == whole.body);
        }
        assert!(ffmpeg::play(&server.url("/live.mpd"), 1) >= 20, "{place}");
        let made = maker(&server);
        server.signal("TERM");
        wait_for_end(made);
        server.wait_for_log("`/live.mpd` is over");
    }
    assert!(is_empty(&tree.path("temp/.httpout-tmp")));
}

#[test]
fn without_a_directory_it_is_in_memory_and_says_so() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 3, 25);
    let output = ["-o", "http://127.0.0.1:0/tv/live.mpd"];
    let server = start(&[&["-i", &source][..], &output, &LIVE].concat());
    manifest(&server, "/tv/live.mpd");
    server.wait_for_log("`/tv/live.mpd` is written to memory");
    // A film is read at its own pace, though nobody has asked for it.
    server.wait_for_log("read at its own pace");
    server.wait_for_log("Opening output tv/live-0-00002.m4s");
    let segment = get_until(&server, "/tv/live-0-00001.m4s", |answer| {
        answer.status == 200
    });
    assert_eq!(segment.field("content-type"), Some("video/iso.segment"));
}

#[test]
fn what_is_static_is_whole_when_it_is_made_and_the_server_ends_with_its_last_client() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 4, 25);
    let temp = format!("--rdirs={}", tree.text("temp"));
    let output = ["-o", "http://127.0.0.1:0/film.mpd", &temp, "--quit"];
    let mut server = start(&[&["-i", &source][..], &output].concat());
    // As long as it is there, the server is.
    let mut client = Client::connect(&server);
    server.wait_for_log("`/film.mpd` is over");
    client.send("GET /film.mpd HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = client.read_response("GET").text().to_owned();
    assert_eq!(attribute(&text, "type"), Some("static"));
    assert_eq!(
        attribute(&text, "mediaPresentationDuration"),
        Some("PT4.0S")
    );
    for name in ["film-0-00004.m4s", "film-1-00004.m4s", "film-0-init.mp4"] {
        assert!(
            !content(&tree, &format!("temp/{name}")).is_empty(),
            "{name}"
        );
    }
    drop(client);
    assert!(server.wait().success());
    let files = Server::start([tree.text("temp")]);
    assert_eq!(ffmpeg::play(&files.url("/film.mpd"), 60), 100);
}

#[test]
fn on_demand_each_quality_is_one_file() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 4, 25);
    let temp = format!("--rdirs={}", tree.text("temp"));
    let output = ["-o", "http://127.0.0.1:0/film.mpd:profile=onDemand", &temp];
    let server = start(&[&["-i", &source][..], &output].concat());
    server.wait_for_log("`/film.mpd` is over");
    let text = manifest(&server, "/film.mpd");
    assert_eq!(attribute(&text, "type"), Some("static"));
    let whole = Client::get(&server, "/film-0.mp4");
    assert_eq!(
        (whole.status, whole.field("accept-ranges")),
        (200, Some("bytes"))
    );
    // Players ask for parts of it: the last one ends where the file does.
    let video = text.split("contentType=\"audio\"").next();
    let parts = video.unwrap_or_default().split("mediaRange=\"").skip(1);
    let ends = parts.filter_map(|part| part.split('"').next()?.split('-').nth(1)?.parse().ok());
    let ends: Vec<usize> = ends.collect();
    assert_eq!(
        (ends.len(), ends.last()),
        (4, Some(&(whole.body.len() - 1)))
    );
    tree.write("one.mp4", &whole.body);
    assert_eq!(ffmpeg::play(&tree.text("one.mp4"), 60), 100);
}

#[test]
fn segments_are_named_as_the_template_says() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 2, 25);
    let temp = format!("--rdirs={}", tree.text("temp"));
    let template = "--template=seg/$RepresentationID$_$Number%03d$";
    let output = ["-o", "http://127.0.0.1:0/a%20b/film.mpd", &temp, template];
    let server = start(&[&["-i", &source][..], &output].concat());
    server.wait_for_log("is over");
    assert!(!content(&tree, "temp/a b/seg/0_002.m4s").is_empty());
    assert!(!content(&tree, "temp/a b/seg/1_init.mp4").is_empty());
}

#[test]
fn outputs_that_share_a_server_have_directories_of_their_own() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 4, 25);
    let [own, www] = ["own", "www"].map(|name| tree.text(name));
    let output = format!("http://127.0.0.1:0/x/live.mpd:rdirs={own}:dmode=dynamic:cdur=0.1");
    let server = start(&[
        &format!("httpout:rdirs={www}:ifce=127.0.0.1"),
        "-i",
        &source,
        "-o",
        &output,
        "-o",
        "http://127.0.0.1:0/x/live.ts:rdirs=",
    ]);
    manifest(&server, "/x/live.mpd");
    let found = |answer: &crate::support::Response| answer.status == 200;
    get_until(&server, "/x/live-0-00001.m4s", found);
    server.wait_for_log("Closing output x/live-0-00001.m4s");
    assert!(tree.path("own/x/live-0-00001.m4s").exists());
    // What lies beside them is not exposed by them.
    tree.write("own/x/other.txt", b"other");
    assert_eq!(Client::get(&server, "/x/other.txt").status, 404);
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    // Nobody may write there.
    let put = Client::put(&server, "/x/live-0-00009.m4s", "", b"x");
    assert_eq!(put.status, 405);
}

#[test]
fn dash_and_hls_of_the_same_are_made_once() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 4, 25);
    let outputs = ["live.mpd", "live.m3u8"].map(|name| format!("http://127.0.0.1:0/{name}"));
    let [dash, hls] = &outputs;
    let server = start(&[&["-i", &source, "-o", dash, "-o", hls][..], &LIVE].concat());
    manifest(&server, "/live.mpd");
    server.wait_for_log("Closing output live-0-00002.m4s");
    let log = server.log();
    assert_eq!(log.matches("is made by ffmpeg").count(), 1, "{log}");
    assert_eq!(log.matches("Opening output live-0-00002.m4s").count(), 1);
}

#[test]
fn segments_go_when_later_ones_have_come() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 8, 25);
    for (place, segments, live) in [
        (tree.text("temp"), "-2", &LIVE[..]),
        ("gmem".to_owned(), "2", &LIVE),
        ("gmem".to_owned(), "3", &["--dmode=dynamic"]),
    ] {
        let rdirs = format!("--rdirs={place}");
        let kept = format!("--max_cache_segs={segments}");
        let output = ["-o", "http://127.0.0.1:0/live.mpd", &rdirs, &kept];
        let server = start(&[&["-i", &source][..], &output, live].concat());
        server.wait_for_log("Closing output live-0-00005.m4s");
        server.wait_for_log("Closing output live-1-00005.m4s");
        let text = manifest(&server, "/live.mpd");
        assert_eq!(attribute(&text, "timeShiftBufferDepth"), Some("PT2.0S"));
        let gone = |answer: &crate::support::Response| answer.status == 404;
        get_until(&server, "/live-0-00002.m4s", gone);
        assert_eq!(Client::get(&server, "/live-0-00004.m4s").status, 200);
        // What they begin with stays.
        assert_eq!(Client::get(&server, "/live-0-init.mp4").status, 200);
        // What is offered is kept: there is nothing to tell.
        assert!(!server.log().contains("max_cache_segs"), "{}", server.log());
    }
}

#[test]
fn hold_waits_for_the_first_player() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 2, 25);
    let output = ["-o", "http://127.0.0.1:0/live.mpd", "--hold"];
    let server = start(&[&["-i", &source][..], &output, &LIVE].concat());
    server.wait_for_log("is written to memory");
    assert_eq!(Client::get(&server, "/live-0-00001.m4s").status, 404);
    assert!(!server.log().contains("is made by ffmpeg"));
    manifest(&server, "/live.mpd");
    server.wait_for_log("`/live.mpd` is over");
}

#[test]
fn check_looks_into_the_input_and_makes_nothing() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 1, 25);
    tree.write("noise.mp4", b"this is no film");
    let temp = format!("--rdirs={}", tree.text("temp"));
    let check = |source: &str| {
        let line = ["check", "-i", source, "-o", "http://127.0.0.1:0/live.mpd"];
        run(line.iter().chain(&[temp.as_str()]))
    };
    let output = check(&source);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("by ffmpeg, written to"), "{said}");
    assert!(!tree.path("temp").exists());
    let output = check(&tree.text("noise.mp4"));
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("DASH and HLS cannot be made of it"), "{said}");
}

#[test]
fn a_configuration_file_says_the_same() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 2, 25);
    let text = format!(
        "port = 0\ninput = '{source}'\noutput = 'http://127.0.0.1:0/live.mpd'\nrdirs = ['temp']\n\
         dmode = 'dynamic'\ncdur = 0.1\nsegdur = 2\n"
    );
    tree.write("httpout.toml", text.as_bytes());
    let config = format!("--config={}", tree.text("httpout.toml"));
    let mut command = line(&[&config]);
    let server = Server::spawn(&mut command);
    let text = manifest(&server, "/live.mpd");
    assert_eq!(attribute(&text, "maxSegmentDuration"), Some("PT2.0S"));
    server.wait_for_log("Closing output live-0-00001.m4s");
    assert!(tree.path("temp/live-0-00001.m4s").exists());
}
