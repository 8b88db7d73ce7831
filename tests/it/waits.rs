//! Plugins that wait: what they cost meanwhile.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{Client, Http2, Server, Tree, guest};

#[test]
fn the_clock_that_interrupts_guests_stands_still_while_all_of_them_wait() {
    let tree = Tree::new();
    let (calls, faulty) = (guest("calls"), guest("faulty"));
    let server = Server::start([&tree.text("www"), "--plugin", &calls, "--plugin", &faulty]);
    let mut waiting: Vec<Http2> = (0..2).map(|_| Http2::connect(&server)).collect();
    for client in &mut waiting {
        for _ in 0..100 {
            client.ask("GET", "/calls?send=wait");
        }
    }
    server.wait_for_times("call: on-request", 200);
    let stands_still = || {
        let before = switches(&server);
        sleep(Duration::from_millis(100));
        switches(&server) == before
    };
    assert!((0..100).any(|_| stands_still()), "it ticks on and on");
    // It is there again when it is needed: what loops is interrupted, and holds nobody up.
    assert_eq!(Client::get(&server, "/faulty/loop").status, 500);
    server.wait_for_log("took longer than 1000 ms");
    drop(waiting);
}

/// How often the thread of the clock has gone to sleep.
fn switches(server: &Server) -> String {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).expect("the process runs");
    let mut statuses =
        tasks.map(|task| fs::read_to_string(task.expect("is read").path().join("status")));
    let clock = statuses.find_map(|status| {
        let status = status.ok()?;
        let line = status.lines().find(|line| line.starts_with("voluntary_"));
        status
            .starts_with("Name:\tplugin-clock\n")
            .then(|| line.map(str::to_owned))?
    });
    clock.expect("there is a clock")
}
