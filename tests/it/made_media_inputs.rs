//! What media are made of: every kind of input, copied where that is possible.

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::made::{LIVE, film, line, manifest, start};
use crate::support::media::make;
use crate::support::{Client, Server, Tree, ffmpeg};

/// Segments as they come of an input that is not paced, in memory.
const OUTPUT: [&str; 2] = ["-o", "http://127.0.0.1:0/live.mpd"];

#[test]
fn tracks_are_copied_where_codecs_and_key_frames_allow_it_and_encoded_elsewhere() {
    let tree = Tree::new();
    let (song, _) = make(&tree, "song.mp3", "2");
    let (old, _) = make(&tree, "old.ts", "2");
    for (source, options, expected) in [
        (
            film(&tree, "one.mp4", 4, 25),
            &[][..],
            "video h264 is copied, audio aac is copied",
        ),
        (
            film(&tree, "two.mp4", 6, 50),
            &LIVE[..],
            "segments of 2 s, video h264 is copied, audio aac is copied",
        ),
        (
            tree.text("two.mp4"),
            &["--segdur=1", "--dmode=dynamic", "--cdur=0.2"],
            "segments of 1 s, video h264 is encoded (it has key frames every 2 s: give `--segdur=2` to have it copied), audio",
        ),
        (
            tree.text("two.mp4"),
            &["--segdur=2", "--dmode=dynamic", "--cdur=0.2"],
            "video h264 is copied",
        ),
        (
            song,
            &[],
            "audio mp3 is encoded (browsers do not play it in MP4)",
        ),
        (
            old,
            &[],
            "video mpeg2video is encoded (browsers do not play it in MP4), audio mp2 is encoded",
        ),
    ] {
        let server = start(&[&["-i", &source][..], &OUTPUT, options].concat());
        let log = server.wait_for_log("is made by ffmpeg");
        assert!(log.contains(expected), "{source}: {log}");
        manifest(&server, "/live.mpd");
        server.wait_for_log("Closing output live-0-00001.m4s");
    }
}

#[test]
fn encoded_segments_begin_with_key_frames_wherever_the_pictures_begin() {
    let tree = Tree::new();
    film(&tree, "two.mp4", 4, 50);
    // The sound begins before the picture.
    let late = tree.text("late.mp4");
    let two = tree.text("two.mp4");
    let shifted = ffmpeg::start(&[
        "-i".to_owned(),
        two.clone(),
        "-itsoffset".to_owned(),
        "0.3".to_owned(),
        "-i".to_owned(),
        two,
        "-map".to_owned(),
        "1:v".to_owned(),
        "-map".to_owned(),
        "0:a".to_owned(),
        "-c".to_owned(),
        "copy".to_owned(),
        late.clone(),
    ]);
    shifted.wait();
    let line = [&["-i", &late, "--segdur=1"][..], &OUTPUT, &LIVE].concat();
    let server = start(&line);
    server.wait_for_log("video h264 is encoded");
    server.wait_for_log("`/live.mpd` is over");
    for number in 1..=4 {
        let segment = Client::get(&server, &format!("/live-0-0000{number}.m4s"));
        let head = Client::get(&server, "/live-0-init.mp4");
        tree.write("segment.mp4", &[head.body, segment.body].concat());
        let pictures = pictures(&tree.text("segment.mp4"));
        assert!(pictures.starts_with('K'), "{number}: {pictures}");
        assert_eq!(pictures.matches('K').count(), 1, "{number}: {pictures}");
        assert_eq!(pictures.lines().count(), 25, "{number}: {pictures}");
    }
}

/// The pictures of a film, a line for each, which begins with `K` where it is a key frame.
fn pictures(path: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-loglevel", "error", "-select_streams", "v:0"])
        .args(["-show_entries", "packet=flags", "-of", "csv=p=0", path])
        .output();
    let output = output.expect("ffprobe is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_ffmpeg_cannot_open_it_is_given() {
    let tree = Tree::new();
    film(&tree, "source.ts", 6, 25);
    let bytes = std::fs::read(tree.path("source.ts")).expect("was made");
    let is_made = |server: &Server| {
        manifest(server, "/live.mpd");
        server.wait_for_log("video h264 is copied, audio aac is copied");
        server.wait_for_log("Closing output live-0-00003.m4s");
    };
    // Standard input.
    let mut command = line(&[&["-i", "-"][..], &OUTPUT].concat());
    let mut server = Server::spawn(command.stdin(Stdio::piped()));
    let mut stdin = server.stdin();
    stdin.write_all(&bytes).expect("the server reads");
    is_made(&server);
    drop(stdin);
    server.wait_for_log("`/live.mpd` is over");
    let url = server.url("/live.mpd");
    assert!(ffmpeg::play(&url, 60) >= 100);
    // A socket that is connected to.
    let origin = TcpListener::bind("127.0.0.1:0").expect("is free");
    let input = format!("tcp://{}", origin.local_addr().expect("is bound"));
    let server = start(&[&["-i", &input][..], &OUTPUT].concat());
    let (mut stream, _) = origin.accept().expect("the server connects");
    stream.write_all(&bytes).expect("the server reads");
    is_made(&server);
    drop(server);
    // Datagrams.
    let probe = UdpSocket::bind("127.0.0.1:0").expect("is free");
    let place = probe.local_addr().expect("is bound");
    drop(probe);
    let server = start(&[&["-i", &format!("udp://{place}")][..], &OUTPUT].concat());
    let sending = std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("is free");
        for datagram in bytes.chunks(7 * 188) {
            let _ = socket.send_to(datagram, place);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    server.wait_for_log("is made by ffmpeg");
    manifest(&server, "/live.mpd");
    sending.join().expect("has sent");
}

#[test]
fn of_what_comes_live_nothing_is_made_that_is_over() {
    let tree = Tree::new();
    let source = film(&tree, "source.mp4", 8, 25);
    let mut encoder = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-nostdin", "-re", "-i", &source])
        .args(["-c", "copy", "-f", "mpegts", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed");
    let pipe = encoder.stdout.take().expect("is piped");
    let mut command = line(&[&["-i", "-", "reframer:rt=on"][..], &OUTPUT, &LIVE].concat());
    let server = Server::spawn(command.stdin(Stdio::from(pipe)));
    manifest(&server, "/live.mpd");
    server.wait_for_log(" s on because it comes live");
    server.wait_for_log("`/live.mpd` is over");
    assert!(encoder.wait().expect("is a child of ours").success());
    // Some was over before it was known what it is.
    let log = server.log();
    assert!(log.contains("Closing output live-0-00004.m4s"), "{log}");
    assert!(!log.contains("live-0-00008.m4s"), "{log}");
    assert_eq!(Client::get(&server, "/live.mpd").status, 200);
}

#[test]
fn urls_are_pulled_and_their_passwords_are_seen_by_nobody() {
    let tree = Tree::new();
    film(&tree, "www/source.ts", 4, 25);
    let origin = Server::start([tree.text("www")]);
    let server = start(&[&["-i", &origin.url("/source.ts")][..], &OUTPUT].concat());
    manifest(&server, "/live.mpd");
    server.wait_for_log("`/live.mpd` is over");
    let secret = origin.url("/source.ts").replace("://", "://me:secret@");
    let server = start(&[&["-i", &secret][..], &OUTPUT, &LIVE, &["reframer:rt=on"]].concat());
    manifest(&server, "/live.mpd");
    let maker = crate::support::made::maker(&server);
    let line = std::fs::read(format!("/proc/{maker}/cmdline")).expect("it runs");
    let line = String::from_utf8_lossy(&line);
    assert!(
        line.contains("pipe:0") && !line.contains("secret"),
        "{line}"
    );
    assert!(!server.log().contains("secret"));
}

#[test]
fn other_outputs_of_the_input_stand_beside_it() {
    let tree = Tree::new();
    let (song, bytes) = make(&tree, "song.mp3", "3");
    let output = ["-o", "http://127.0.0.1:0/live.mp3:rdirs="];
    let server = start(&[&["-i", &song][..], &output, &OUTPUT, &["--hold"]].concat());
    let mut listener = crate::support::media::listen(&server, "/live.mp3");
    assert!(crate::support::media::rest(&mut listener) == bytes);
    manifest(&server, "/live.mpd");
    server.wait_for_log("`/live.mpd` is over");
    assert_eq!(Client::get(&server, "/live-0-init.mp4").status, 200);
}

#[test]
fn a_cover_is_no_film_and_what_has_no_sound_is_made_too() {
    let tree = Tree::new();
    let (song, _) = make(&tree, "song.mp3", "1");
    film(&tree, "film.mp4", 1, 25);
    let cover = tree.text("cover.mp3");
    let silent = tree.text("silent.mp4");
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    ffmpeg::start(&words(&format!(
        "-f lavfi -i color=size=64x64 -frames:v 1 -update 1 {}",
        tree.text("c.png")
    )))
    .wait();
    let add = format!(
        "-i {song} -i {} -map 0 -map 1 -c copy {cover}",
        tree.text("c.png")
    );
    ffmpeg::start(&words(&add)).wait();
    let film = tree.text("film.mp4");
    ffmpeg::start(&words(&format!("-i {film} -an -c copy {silent}"))).wait();
    for (source, expected) in [
        (cover, ": segments of 1 s, audio mp3 is encoded"),
        (silent, ": segments of 1 s, video h264 is copied\n"),
    ] {
        let server = start(&[&["-i", &source][..], &OUTPUT].concat());
        let log = server.wait_for_log("is made by ffmpeg");
        assert!(log.contains(expected), "{log}");
        server.wait_for_log("Closing output live-0-00001.m4s");
    }
}
