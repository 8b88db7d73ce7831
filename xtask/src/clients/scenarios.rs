//! What is watched, and what is expected of it.

use std::time::Duration;

/// One way from a camera to a screen.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    /// Whether the browser speaks TLS, and with it HTTP/2.
    pub(super) tls: bool,
    pub(super) path: &'static str,
    /// What else the page is asked for.
    pub(super) query: &'static str,
    pub(super) expected: Expected,
}

/// Where the media come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// ffmpeg pushes DASH.
    Push,
    /// The server reads an input and makes DASH of it; its segments lie there (option `rdirs`).
    Input { rdirs: &'static str },
}

pub(super) enum Expected {
    /// So near to the target, in seconds, all the time and without an error.
    Target { within: f64 },
    /// Never so far behind, in seconds, and no error.
    Below { limit: f64 },
    /// The encoder is killed and started again after that time: it plays again so soon, and is then no farther behind, in
    /// seconds.
    Return {
        outage: Duration,
        within: Duration,
        limit: f64,
    },
}

const PUSHED: Scenario = Scenario {
    name: "",
    origin: Origin::Push,
    tls: false,
    path: "/live/ll.mpd",
    query: "target=1.5",
    expected: TARGET,
};

/// The same, played as HLS as near as its playlist allows.
const AS_HLS: Scenario = Scenario {
    path: "/live/ll.m3u8",
    query: "",
    expected: BELOW,
    ..PUSHED
};

/// Made by the server of a camera that it reads.
const MADE: Scenario = Scenario {
    origin: Origin::Input { rdirs: "made" },
    path: "/live.mpd",
    ..PUSHED
};

const TARGET: Expected = Expected::Target { within: 0.1 };

const BELOW: Expected = Expected::Below { limit: 1.5 };

const fn restart(outage: u64) -> Expected {
    Expected::Return {
        outage: Duration::from_secs(outage),
        within: Duration::from_secs(8),
        limit: 1.7,
    }
}

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "dash",
        ..PUSHED
    },
    Scenario {
        name: "dash-tls",
        tls: true,
        ..PUSHED
    },
    Scenario {
        name: "hls",
        ..AS_HLS
    },
    Scenario {
        name: "hls-tls",
        tls: true,
        ..AS_HLS
    },
    Scenario {
        name: "hls-restart-3",
        expected: restart(3),
        ..AS_HLS
    },
    Scenario {
        name: "made-dash",
        ..MADE
    },
    Scenario {
        name: "made-dash-gmem",
        origin: Origin::Input { rdirs: "gmem" },
        ..MADE
    },
    Scenario {
        name: "made-hls-gmem",
        origin: Origin::Input { rdirs: "gmem" },
        path: "/live.m3u8",
        query: "",
        expected: BELOW,
        ..MADE
    },
    Scenario {
        name: "dash-restart-3",
        expected: restart(3),
        ..PUSHED
    },
    Scenario {
        name: "dash-restart-10",
        expected: restart(10),
        ..PUSHED
    },
];
