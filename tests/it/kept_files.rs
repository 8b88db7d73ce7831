//! Larger files are kept open for the next request: nobody may notice but the clock.

use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::support::tree::{pattern, settle};
use crate::support::{Client, Server, Tree, serve};

/// Beyond what is kept in memory and what is compressed.
const LARGE: usize = 100_000;

/// Another one for each number.
fn content(number: u8) -> Vec<u8> {
    let mut content = pattern(LARGE);
    content.iter_mut().for_each(|byte| *byte ^= number);
    content
}

#[test]
fn a_large_file_is_kept_open() {
    let tree = Tree::new();
    tree.write("www/large.mp4", &content(0));
    let server = serve(&tree);
    for _ in 0..10 {
        assert!(Client::get(&server, "/large.mp4").body == content(0));
    }
    let open = server.open_files();
    let kept = open.iter().filter(|file| file.ends_with("/large.mp4"));
    assert_eq!(kept.count(), 1, "{open:?}");
}

#[test]
fn every_change_of_a_large_file_shows_at_once() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    let mut ask = || {
        client.send("GET /large.mp4 HTTP/1.1\r\nHost: test\r\n\r\n");
        client.read_response("GET")
    };
    let path = tree.path("www/large.mp4");
    // Once while it is young, once when it has been kept for long.
    for is_settled in [false, true] {
        let begin = |tree: &Tree| {
            tree.write("www/large.mp4", &content(0));
            if is_settled {
                settle(tree, "www/large.mp4");
            }
        };
        begin(&tree);
        let first = ask();
        assert!(first.body == content(0) && ask().body == content(0));
        for number in 1..30 {
            // In place, of the same length.
            let file = std::fs::File::options().write(true).open(&path);
            let mut file = file.expect("is there");
            file.write_all(&content(number)).expect("there is room");
            assert!(ask().body == content(number), "{number}");
        }
        for number in 30..60 {
            tree.write("new.mp4", &content(number));
            std::fs::rename(tree.path("new.mp4"), &path).expect("is there");
            let replaced = ask();
            assert!(replaced.body == content(number), "{number}");
            assert_ne!(replaced.field("etag"), first.field("etag"));
        }
        begin(&tree);
        let before = ask();
        let mut file = std::fs::File::options()
            .append(true)
            .open(&path)
            .expect("is there");
        for count in 1..10 {
            file.write_all(b"more").expect("there is room");
            let grown = ask();
            assert_eq!(grown.body.len(), LARGE + 4 * count);
            assert_ne!(grown.field("etag"), before.field("etag"));
        }
        for length in [LARGE as u64, 50_000, 20_000, 10_000, 0] {
            file.set_len(length).expect("is ours");
            let cut = ask();
            assert!(cut.body == content(0)[..length as usize], "{length}");
        }
        std::fs::remove_file(&path).expect("is there");
        assert_eq!(ask().status, 404);
        assert_eq!(ask().status, 404);
    }
}

#[test]
fn a_file_that_is_replaced_all_the_time_is_never_an_older_one_nor_a_mixture() {
    let tree = Tree::new();
    // Small and large in turn, so that they are kept in different places.
    let version = |number: u8| {
        let length = if number.is_multiple_of(2) {
            10_000
        } else {
            LARGE
        };
        content(number)[..length].to_vec()
    };
    let replace = |number: u8| {
        tree.write("new.mp4", &version(number));
        std::fs::rename(tree.path("new.mp4"), tree.path("www/live.mp4")).expect("is there");
    };
    replace(0);
    let server = serve(&tree);
    let complete = AtomicU8::new(0);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(&server);
                    while complete.load(SeqCst) < 200 {
                        let oldest = complete.load(SeqCst);
                        client.send("GET /live.mp4 HTTP/1.1\r\nHost: test\r\n\r\n");
                        let body = client.read_response("GET").body;
                        // The first byte of each pattern is 0.
                        assert!(body[0] >= oldest && body == version(body[0]));
                    }
                })
            })
            .collect();
        for number in 1..=200 {
            replace(number);
            complete.store(number, SeqCst);
            std::thread::sleep(Duration::from_millis(2));
        }
        for reader in readers {
            reader.join().expect("every answer is right");
        }
    });
}

#[test]
fn a_directory_that_becomes_a_link_to_the_outside_is_left_with_its_open_files() {
    let tree = Tree::new();
    tree.write("www/moved/deep/large.mp4", &content(0));
    let server = serve(&tree);
    for _ in 0..3 {
        assert!(Client::get(&server, "/moved/deep/large.mp4").body == content(0));
    }
    std::fs::rename(tree.path("www/moved"), tree.path("moved")).expect("is there");
    tree.link("../moved", "www/moved");
    assert_eq!(Client::get(&server, "/moved/deep/large.mp4").status, 404);
    // Back in its place it is served again; a link to the inside leads there too.
    std::fs::remove_file(tree.path("www/moved")).expect("is there");
    std::fs::rename(tree.path("moved"), tree.path("www/elsewhere")).expect("is there");
    tree.link("elsewhere", "www/moved");
    for _ in 0..2 {
        assert!(Client::get(&server, "/moved/deep/large.mp4").body == content(0));
    }
}

#[test]
fn more_files_than_descriptors_are_served() {
    let tree = Tree::new();
    for number in 0..150 {
        tree.write(&format!("www/{number}.mp4"), &content(number));
    }
    let line = format!(
        "ulimit -n 64 && exec {} --port=0 --ifce=127.0.0.1 {}",
        env!("CARGO_BIN_EXE_httpout"),
        tree.text("www")
    );
    let server = Server::spawn(Command::new("sh").args(["-c", &line]));
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        for number in 0..150 {
            client.send(&format!("GET /{number}.mp4 HTTP/1.1\r\nHost: test\r\n\r\n"));
            let response = client.read_response("GET");
            assert_eq!(response.status, 200, "{number}");
            assert!(response.body == content(number), "{number}");
        }
    }
    assert!(server.open_files().len() < 50);
}

#[test]
fn a_deleted_file_gives_its_space_back() {
    let tree = Tree::new();
    for name in ["deleted", "replaced", "asked"] {
        tree.write(&format!("www/{name}.mp4"), &content(0));
    }
    let server = serve(&tree);
    for name in ["deleted", "replaced", "asked"] {
        Client::get(&server, &format!("/{name}.mp4"));
    }
    std::fs::remove_file(tree.path("www/deleted.mp4")).expect("is there");
    std::fs::remove_file(tree.path("www/asked.mp4")).expect("is there");
    tree.write("new.mp4", &content(1));
    std::fs::rename(tree.path("new.mp4"), tree.path("www/replaced.mp4")).expect("is there");
    let held = |name: &str| {
        let open = server.open_files();
        open.iter()
            .any(|file| file.contains(name) && file.ends_with(" (deleted)"))
    };
    assert!(held("/asked.mp4"));
    // Whoever asks for it finds out.
    assert_eq!(Client::get(&server, "/asked.mp4").status, 404);
    assert!(!held("/asked.mp4"));
    // And where nobody asks, it is found after a while.
    let deadline = Instant::now() + Duration::from_secs(60);
    while held("/deleted.mp4") || held("/replaced.mp4") {
        assert!(Instant::now() < deadline, "{:?}", server.open_files());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(Client::get(&server, "/replaced.mp4").body == content(1));
}
