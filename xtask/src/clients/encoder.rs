//! ffmpeg as the camera and encoder of a test: its picture shows the wall clock.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::child::{self, Running};
use crate::tools;

/// Bits of the clock in milliseconds that are shown: it begins anew after 65 s.
const BITS: u32 = 16;

/// Pushes low-latency DASH to a URL. Its clock is that of the server that players ask, with or without TLS.
pub(super) fn push(manifest: &str, log: &Path) -> Result<Running> {
    let mut command = encoder(log)?;
    command
        .args(["-f", "dash", "-ldash", "1", "-streaming", "1"])
        .args(["-use_template", "1", "-use_timeline", "0"])
        .args(["-seg_duration", "2", "-frag_type", "duration"])
        .args(["-frag_duration", "0.2", "-target_latency", "1.5"])
        .args(["-write_prft", "1", "-utc_timing_url", "/_/time"])
        .args(["-update_period", "1"])
        .args(["-window_size", "5", "-extra_window_size", "5"])
        .args(["-method", "PUT", "-http_persistent", "1"])
        .args(["-timeout", "2", manifest]);
    Running::start(&mut command)
}

/// Offers a transport stream at a port of loopback, to the first client that comes.
pub(super) fn offer(port: u16, log: &Path) -> Result<Running> {
    let mut command = encoder(log)?;
    let url = format!("tcp://127.0.0.1:{port}?listen=1");
    command.args(["-f", "mpegts", "-flush_packets", "1"]).args([
        "-muxdelay",
        "0",
        "-muxpreload",
        "0",
        &url,
    ]);
    Running::start(&mut command)
}

fn encoder(log: &Path) -> Result<Command> {
    let mut command = child::tied(&tools::require("ffmpeg", "ffmpeg")?);
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "warning", "-y"])
        .args(["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"])
        .args(["-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"])
        .args(["-vf", &clock()])
        .args(["-c:v", "libx264", "-preset", "ultrafast"])
        .args(["-tune", "zerolatency", "-pix_fmt", "yuv420p"])
        .args(["-g", "50", "-sc_threshold", "0", "-b:v", "800k"])
        .args(["-c:a", "aac", "-b:a", "64k"])
        .stdout(Stdio::null())
        .stderr(child::log_file(log)?);
    Ok(command)
}

/// Filters that show the clock twice: as text, and as a row of blocks, one for each bit, with their complements below.
///
/// All of a frame must show the same moment: the wall clock is made the time of the frame, and taken out again.
fn clock() -> String {
    let mut filters = vec![
        "settb=1/1000,setpts=RTCTIME/1000".to_owned(),
        "drawbox=x=0:y=0:w=640:h=64:c=black:t=fill".to_owned(),
    ];
    for bit in 0..BITS {
        let (x, period) = (bit * 40, 1 << bit);
        for (y, value) in [(0, 1), (32, 0)] {
            let is_lit = format!("eq(mod(floor(t*1000/{period}+0.0001),2),{value})");
            filters.push(format!(
                "drawbox=x={x}:y={y}:w=40:h=32:c=white:t=fill:enable='{is_lit}'"
            ));
        }
    }
    let text = r"%{pts\:gmtime\:0\:%H\\\:%M\\\:%S}.%{eif\:mod(t*1000\,1000)\:d\:3}";
    filters.push(format!(
        "drawtext=x=20:y=290:fontsize=48:fontcolor=white:box=1:boxcolor=black:text='{text}'"
    ));
    filters.push("settb=1/25,setpts=N".to_owned());
    filters.join(",")
}
