//! What goes wrong while media are made, and who else may push.

use std::process::Command;

use crate::support::made::{
    LIVE, attribute, film, get_until, line, maker, manifest, runs, start, wait_for_end,
};
use crate::support::server::run;
use crate::support::{Client, Tree, try_curl};

const OUTPUT: [&str; 2] = ["-o", "http://127.0.0.1:0/live.mpd"];

fn kill(process: u32, signal: &str) {
    let killed = Command::new("kill")
        .args(["-s", signal, &process.to_string()])
        .status();
    assert!(killed.expect("kill runs").success());
}

/// Where a process pushes to, from its command line.
fn target_of(process: u32) -> String {
    let line = std::fs::read_to_string(format!("/proc/{process}/cmdline")).expect("it runs");
    let mut words = line.split('\0').filter(|word| word.starts_with("http://"));
    words.next_back().expect("has a target").to_owned()
}

#[test]
fn nobody_pushes_without_the_secret_of_the_run() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 8, 25);
    let server = start(&[&["-i", &source][..], &OUTPUT, &LIVE].concat());
    let before = manifest(&server, "/live.mpd");
    let target = target_of(maker(&server));
    let push = |arguments: &[&str]| {
        let common = ["-o", "/dev/null", "-w", "%{http_code}", &target];
        let output = try_curl(&[arguments, &common].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let foreign = tree.text("www/hello.txt");
    assert_eq!(push(&["-T", &foreign]), "404");
    assert_eq!(push(&["-T", &foreign, "-A", "httpout"]), "404");
    assert_eq!(push(&["-X", "DELETE"]), "404");
    // Not even to be read.
    assert_eq!(push(&[]), "404");
    let after = manifest(&server, "/live.mpd");
    assert_eq!(attribute(&before, "type"), attribute(&after, "type"));
    // The server itself takes nothing.
    assert_eq!(Client::put(&server, "/live.mpd", "", b"x").status, 405);
    // It is no part of what others can see of the process.
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", maker(&server)));
    assert!(!line.expect("it runs").contains("user_agent"));
}

#[test]
fn what_is_killed_begins_again_and_the_old_segments_stay_meanwhile() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 20, 25);
    let line = ["-i", &source, "reframer:rt=on"];
    let page = ["--metrics=/_/metrics"];
    let server = start(&[&line[..], &OUTPUT, &LIVE, &page].concat());
    let first = manifest(&server, "/live.mpd");
    server.wait_for_log("Closing output live-0-00003.m4s");
    let killed = maker(&server);
    kill(killed, "KILL");
    server.wait_for_log("`/live.mpd` is made anew in 0.5 s: ffmpeg has failed");
    // Whoever watches has what was there.
    assert_eq!(Client::get(&server, "/live.mpd").status, 200);
    assert_eq!(Client::get(&server, "/live-0-00003.m4s").status, 200);
    server.wait_for_times("is made by ffmpeg", 2);
    assert!(maker(&server) != killed);
    // A reader gets new segments.
    server.wait_for_times("Closing output live-0-00001.m4s", 2);
    let second = get_until(&server, "/live.mpd", |answer| answer.text() != first);
    assert_eq!(attribute(second.text(), "type"), Some("dynamic"));
    let figures = Client::get(&server, "/_/metrics");
    let line = "\nhttpout_made_media_failures_total 1\n";
    assert!(figures.text().contains(line), "{}", figures.text());
    // Its next failure is waited for longer.
    kill(maker(&server), "KILL");
    server.wait_for_log("`/live.mpd` is made anew in 1 s");
}

#[test]
fn it_ends_with_the_server() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 20, 25);
    for signal in ["TERM", "INT", "KILL"] {
        let line = ["-i", &source, "reframer:rt=on"];
        let mut server = start(&[&line[..], &OUTPUT, &LIVE].concat());
        manifest(&server, "/live.mpd");
        let maker = maker(&server);
        server.signal(signal);
        let status = server.wait();
        assert_eq!(status.success(), signal != "KILL");
        match signal {
            // Its ingest is gone.
            "KILL" => wait_for_end(maker),
            _ => assert!(!runs(maker), "{signal}"),
        }
    }
}

#[test]
fn without_ffmpeg_one_line_says_what_to_install() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 1, 25);
    std::fs::create_dir(tree.path("bin")).expect("is new");
    let begin = || {
        let mut command = line(&[&["-i", &source][..], &OUTPUT].concat());
        let output = command.env("PATH", tree.path("bin")).output();
        let output = output.expect("the binary runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty(), "it listens");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    let said = begin();
    for part in [
        "`/live.mpd`",
        "`ffmpeg`",
        "is missing",
        "apt-get install ffmpeg",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
    // It is there, and cannot be started.
    tree.write("bin/ffmpeg", b"#!/bin/sh\n");
    assert!(begin().contains("cannot be started"));
}

#[test]
fn what_cannot_be_made_is_refused_in_one_line() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 1, 25);
    let source = source.as_str();
    let url = "http://127.0.0.1:0/live.mpd";
    for (line, expected) in [
        (
            &["-i", source, "-o", url, "--dmode=live"][..],
            &["option `dmode`", "`live`"][..],
        ),
        (
            &["-i", source, "-o", url, "--segdur=0"],
            &["option `segdur`"],
        ),
        (
            &["-i", source, "-o", url, "--cdur=2"],
            &["option `cdur`", "longer than a segment"],
        ),
        (&["-i", source, "-o", url, "--tsb=x"], &["option `tsb`"]),
        (
            &["-i", source, "-o", url, "--profile=hbbtv1.5.live"],
            &["option `profile`", "ffmpeg cannot"],
        ),
        (
            &["-i", source, "-o", url, "--template=x"],
            &["option `template`"],
        ),
        (
            &["-i", source, "-o", url, "--sigfrag"],
            &["`sigfrag`", "not supported"],
        ),
        (
            &["-i", source, "-o", "http://127.0.0.1:0/a.mp4", "--cdur=1"],
            &["option `cdur`", "live.mpd"],
        ),
        (
            &["-i", source, "-o", "http://127.0.0.1:0/a.mp4:cdur=1"],
            &["option `cdur`", "live.mpd"],
        ),
        (&[".", "--dmode=dynamic"], &["option `dmode`"]),
        (
            &[
                "-i",
                source,
                "-o",
                "http://127.0.0.1:0/live.m3u8:segdur=2",
                "-o",
                url,
            ],
            &["another output writes the same file"],
        ),
        (
            &[
                "-i",
                "-",
                "-o",
                url,
                "-o",
                "http://127.0.0.1:0/live.ts:rdirs=",
            ],
            &["standard input can be read once"],
        ),
        (
            &["-i", "/no/such/film.mp4", "-o", url],
            &["`/no/such/film.mp4`", "No such file"],
        ),
        (
            &["-i", &format!("{source}:loop"), "-o", url],
            &["add `reframer:rt=on`"],
        ),
    ] {
        let output = run(["--port=0"].iter().chain(line));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{line:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
}
