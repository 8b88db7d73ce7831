//! Which encoders are recorded, and what they are told.

/// One or more runs of encoders, one after the other, to one server.
pub(crate) struct Session {
    /// Of the file that is written.
    pub(crate) name: &'static str,
    /// The Debian package of the programs.
    pub(crate) package: &'static str,
    pub(crate) runs: &'static [Run],
}

/// A run of an encoder.
pub(crate) struct Run {
    /// Its words; `URL` stands for where the recorder listens.
    pub(crate) command: &'static str,
    pub(crate) end: End,
}

/// How a run ends.
pub(crate) enum End {
    ItsOwn,
    /// It is killed while it uploads a file whose name ends so.
    KilledIn(&'static str),
}

/// A picture of a few bytes, five a second.
macro_rules! ffmpeg {
    ($seconds:literal, $muxer:literal) => {
        concat!(
            "ffmpeg -loglevel error -nostdin -re -f lavfi -i testsrc2=size=64x36:rate=5:duration=",
            $seconds,
            " -g 5 -c:v mpeg4 ",
            $muxer
        )
    };
}

const GSTREAMER: &str = "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
                         gstreamer1.0-plugins-bad gstreamer1.0-libav";

pub(crate) const SESSIONS: &[Session] = &[
    Session {
        name: "ffmpeg-dash",
        package: "ffmpeg",
        runs: &[Run {
            command: ffmpeg!(
                "4",
                "-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 1 -frag_type duration \
                 -frag_duration 0.4 -target_latency 1 -write_prft 1 -window_size 1 -extra_window_size 1 \
                 -remove_at_exit 1 -method PUT -http_persistent 1 -timeout 2 URL/live/ll.mpd"
            ),
            end: End::ItsOwn,
        }],
    },
    // POST, and a connection for each request.
    Session {
        name: "ffmpeg-dash-post",
        package: "ffmpeg",
        runs: &[Run {
            command: ffmpeg!(
                "4",
                "-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 1 -frag_type duration \
                 -frag_duration 0.4 -target_latency 1 -window_size 1 -extra_window_size 1 URL/live/ll.mpd"
            ),
            end: End::ItsOwn,
        }],
    },
    // An abrupt end in the middle of a segment, and a new start with the same names.
    Session {
        name: "ffmpeg-dash-killed",
        package: "ffmpeg",
        runs: &[
            Run {
                command: ffmpeg!(
                    "9",
                    "-f dash -ldash 1 -streaming 1 -seg_duration 1 -frag_type duration -frag_duration 0.4 -method PUT \
                     -http_persistent 1 URL/live/ll.mpd"
                ),
                end: End::KilledIn("-00002.m4s"),
            },
            Run {
                command: ffmpeg!(
                    "2",
                    "-f dash -ldash 1 -streaming 1 -seg_duration 1 -frag_type duration -frag_duration 0.4 -method PUT \
                     -http_persistent 1 URL/live/ll.mpd"
                ),
                end: End::ItsOwn,
            },
        ],
    },
    Session {
        name: "ffmpeg-hls",
        package: "ffmpeg",
        runs: &[Run {
            command: ffmpeg!(
                "5",
                "-f hls -hls_time 1 -hls_list_size 1 -hls_delete_threshold 1 -hls_flags delete_segments -method PUT \
                 -http_persistent 1 URL/live/live.m3u8"
            ),
            end: End::ItsOwn,
        }],
    },
    // The initialization segment is a head only for a while.
    Session {
        name: "ffmpeg-hls-fmp4",
        package: "ffmpeg",
        runs: &[Run {
            command: ffmpeg!(
                "4",
                "-f hls -hls_segment_type fmp4 -hls_time 1 -hls_list_size 1 -hls_delete_threshold 1 \
                 -hls_flags delete_segments URL/live/live.m3u8"
            ),
            end: End::ItsOwn,
        }],
    },
    // One POST for all of it.
    Session {
        name: "gstreamer-curl",
        package: GSTREAMER,
        runs: &[Run {
            command: "gst-launch-1.0 -q audiotestsrc is-live=true num-buffers=30 ! avenc_mp2 ! mpegaudioparse \
                      ! mpegtsmux ! curlhttpsink use-content-length=false location=URL/live/tv.ts",
            end: End::ItsOwn,
        }],
    },
    // A PUT for each buffer.
    Session {
        name: "gstreamer",
        package: GSTREAMER,
        runs: &[Run {
            command: "gst-launch-1.0 -q audiotestsrc is-live=true num-buffers=30 ! avenc_mp2 ! mpegaudioparse \
                      ! mpegtsmux ! souphttpclientsink location=URL/live/tv.ts",
            end: End::ItsOwn,
        }],
    },
];
