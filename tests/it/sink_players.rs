//! Real players of live streams.

use crate::support::media::make;
use crate::support::{Server, Tree, ffmpeg};

#[test]
fn ffmpeg_plays_a_live_stream_to_its_end() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.ts", "2");
    for paced in [&[][..], &["reframer:rt=on"]] {
        let line = ["-i", &path, "-o", "http://localhost/live.ts", "--hold"];
        let server = Server::start(line.iter().chain(paced));
        // It opens the stream once, and that is when it begins: 2 s of 25 frames.
        let frames = ffmpeg::play(&server.url("/live.ts"), 10);
        assert_eq!(frames, 50, "{paced:?}");
    }
}
