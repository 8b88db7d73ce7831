//! What the log says of encoders that fail: they themselves say nothing.

use crate::support::{Client, Live, ffmpeg, guest};

fn guarded() -> [Live; 2] {
    let plugin = format!(
        "--plugin={}?path=/live/&user=alice&password=wonderland",
        guest("auth")
    );
    let options = [plugin.as_str(), "--maxs=0"];
    [Live::start(&options), Live::in_memory(&options)]
}

/// alice:wonderland, alice:wrong
const RIGHT: &str = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
const WRONG: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";

const NO_CREDENTIALS: &str = "a plugin asks for credentials, and the client sends none";

/// Clients that have a password are asked for it first, so that one refusal without it is no trouble.
#[test]
fn three_refusals_without_credentials_in_a_row_are_said() {
    for live in guarded() {
        let server = &live.server;
        let put = |name: &str, fields: &str| Client::put(server, name, fields, b"media").status;
        for _ in 0..2 {
            assert_eq!(put("/live/a.ts", ""), 401);
            assert_eq!(put("/live/a.ts", ""), 401);
            // Those with the password begin a new row.
            assert!(matches!(put("/live/a.ts", RIGHT), 200 | 201));
        }
        assert_eq!(put("/live/b.ts", ""), 401);
        assert_eq!(put("/live/b.ts", ""), 401);
        assert!(!server.log().contains("WARN"), "{}", server.log());
        assert_eq!(put("/live/b.ts", ""), 401);
        server.wait_for_log(&format!(
            "PUT /live/b.ts of 127.0.0.1 failed: {NO_CREDENTIALS}"
        ));
    }
}

#[test]
fn a_wrong_password_is_said_at_once() {
    for live in guarded() {
        let answer = Client::put(&live.server, "/live/a.ts", WRONG, b"media");
        assert_eq!(answer.status, 401);
        let said = "PUT /live/a.ts of 127.0.0.1 failed: a plugin answered 401 Unauthorized";
        live.server.wait_for_log(said);
        assert_eq!(
            Client::ask(&live.server, "DELETE", "/live/a.ts", WRONG).status,
            401
        );
    }
}

#[test]
fn ffmpeg_with_a_password_is_asked_for_it_and_one_without_is_told_on() {
    let push = |live: &Live, user: &str, options: &str| {
        let line = format!(
            "-f lavfi -i testsrc2=size=64x36:rate=5:duration=3 -g 5 -c:v mpeg2video -f hls -hls_time 1 \
             -hls_list_size 9 -method PUT {options}"
        );
        let mut arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let url = live.server.url("/live/live.m3u8");
        arguments.push(url.replace("http://", &format!("http://{user}")));
        // It ends well, whatever it is answered.
        ffmpeg::start(&arguments).wait();
    };
    for live in guarded() {
        push(&live, "", "-http_persistent 1");
        let log = live.server.wait_for_log(NO_CREDENTIALS);
        assert!(!log.contains("Opening output"), "{log}");
    }
    for live in guarded() {
        push(&live, "alice:wrong@", "");
        let said = "failed: a plugin answered 401 Unauthorized";
        live.server.wait_for_log(said);
    }
    for live in guarded() {
        push(&live, "alice:wonderland@", "");
        let times = 3;
        live.server
            .wait_for_times("Closing output live/live.m3u8", times);
        let log = live.server.wait_for_log("Closing output live/live2.ts");
        // It was asked for its password each time.
        assert!(log.matches("reply 401").count() >= times, "{log}");
        assert!(!log.contains("WARN"), "{log}");
    }
}

/// It would die of a broken pipe where the connection is closed, as it is after 20 errors in a row.
#[test]
fn ffmpeg_goes_on_where_all_is_refused() {
    let live = Live::start(&["--maxs=1", "--max_client_errors=0"]);
    let line = "-f lavfi -i testsrc2=size=64x36:rate=5:duration=40 -g 5 -c:v mpeg4 -f dash -ldash 1 -streaming 1 \
                -seg_duration 1 -frag_type duration -frag_duration 0.4 -method PUT -http_persistent 1";
    let mut arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    arguments.push(live.server.url("/live/ll.mpd"));
    ffmpeg::start(&arguments).wait();
    let log = live
        .server
        .wait_for_log("PUT live/chunk-stream0-00040.m4s start");
    assert!(log.contains("option `maxs` sets the limit"), "{log}");
}

#[test]
fn a_malformed_path_is_said_as_it_came() {
    let live = Live::in_memory(&[]);
    let status = Client::put(&live.server, "/../a.ts", "", b"media").status;
    assert_eq!(status, 404);
    live.server.wait_for_log("PUT /../a.ts of 127.0.0.1 failed");
}
