//! The player (option `player`): a page that plays what is live here, and tells how far behind it is.

use std::sync::OnceLock;

use crate::pages::files::{Embedded, EmbeddedFile};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page and all that it loads.
pub(super) static FILES: [EmbeddedFile; 6] = [
    plain("/_/player", HTML, include_str!("../../player/player.html")),
    plain(
        "/_/player/player.css",
        STYLE,
        include_str!("../../player/player.css"),
    ),
    plain(
        "/_/player/player.js",
        SCRIPT,
        include_str!("../../player/player.js"),
    ),
    plain(
        "/_/player/push.js",
        SCRIPT,
        include_str!("../../player/push.js"),
    ),
    library("/_/player/dash.js", DASH),
    library("/_/player/hls.js", HLS),
];

/// dash.js and hls.js, where they have been fetched when the server was built.
#[cfg(has_players)]
const DASH: Option<&[u8]> = Some(include_bytes!("../../player/libraries/dash.js.gz"));
#[cfg(has_players)]
const HLS: Option<&[u8]> = Some(include_bytes!("../../player/libraries/hls.js.gz"));
#[cfg(not(has_players))]
const DASH: Option<&[u8]> = None;
#[cfg(not(has_players))]
const HLS: Option<&[u8]> = None;

/// What a binary without them serves: the page tells what it lacks when a library leaves its object undefined.
const ABSENT: &str = "// This httpout was built without its players: `cargo xtask build` fetches them (it needs npm).\n";

/// Says where the page is, and how to have something to play.
pub(crate) fn announce(url: &str, takes_uploads: bool) {
    tracing::info!("the player is at {url}_/player");
    if takes_uploads {
        tracing::info!("for a picture to play: ffmpeg {TEST_PICTURE} {PUSH} {url}live/ll.mpd");
    }
}

/// A moving picture and a tone, as ffmpeg makes them by itself.
const TEST_PICTURE: &str = "-re -f lavfi -i testsrc2=size=1280x720:rate=25 -re -f lavfi -i sine=sample_rate=48000 \
    -c:v libx264 -preset veryfast -tune zerolatency -g 50 -pix_fmt yuv420p -c:a aac";

/// DASH in segments of 2 s, of which each fifth of a second leaves as it is made. Players ask for the manifest each second,
/// so that they come back when the encoder is started again.
const PUSH: &str = "-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 2 \
    -frag_type duration -frag_duration 0.2 -target_latency 1.5 -write_prft 1 \
    -utc_timing_url /_/time -update_period 1 -window_size 5 -extra_window_size 5 -method PUT -http_persistent 1 -timeout 2";

const fn plain(path: &'static str, content_type: &'static str, text: &'static str) -> EmbeddedFile {
    EmbeddedFile {
        path,
        content_type,
        content: Embedded::Plain(text),
    }
}

const fn library(path: &'static str, content: Option<&'static [u8]>) -> EmbeddedFile {
    let content = match content {
        Some(bytes) => Embedded::Compressed(bytes, OnceLock::new()),
        None => Embedded::Plain(ABSENT),
    };
    EmbeddedFile {
        path,
        content_type: SCRIPT,
        content,
    }
}
