//! What is measured. A new workload is a row here.

use super::figures::Unit;
use crate::usage;

/// One question: files, how they are asked for, who answers, and what is expected of us.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) protocol: Protocol,
    pub(super) content: Content,
    pub(super) work: Work,
    pub(super) unit: Unit,
    /// What nginx needs in its configuration to do this, and to do it best.
    pub(super) nginx: &'static [&'static str],
    /// The first is the reference of the table's ratios.
    pub(super) contenders: &'static [Contender],
    pub(super) goals: &'static [Goal],
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Protocol {
    Http1,
    /// HTTP/1.1 over TLS.
    Https1,
    /// HTTP/2 over TLS.
    Https2,
}

#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A file of that many bytes, which no coding makes smaller.
    Bytes(u64),
    /// A file of that many bytes, all zero, which a plugin can make as well.
    Zeros(u64),
    /// A file of this text, which a script can make as well.
    Text(&'static str),
    /// So many different files of text, each just small enough for the limit of `zmax`.
    Texts(usize),
}

/// What the load does.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Asks for the file, whole.
    Get { connections: u32 },
    /// Asks for so many bytes, anywhere in the file.
    Ranges { connections: u32, length: u64 },
    /// Asks for the files in turn, compressed.
    Compressed { connections: u32 },
    /// Asks for the file, several times at once on each connection.
    Multiplexed { connections: u32, streams: u32 },
    /// Stores the file, again and again.
    Put,
    /// Uploads what is live, while so many follow it.
    Relay { readers: u32 },
    /// Asks for the file once on each connection, which stay open.
    Idle { connections: u32 },
    /// Reads one live stream on each connection.
    FanOut { clients: u32 },
    /// Starts the server and asks for the file once, so many times.
    Start { times: u32 },
}

pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) server: Server,
    /// The field that every response must have.
    pub(super) field: Option<(&'static str, &'static str)>,
}

pub(super) enum Server {
    Nginx,
    /// A few lines of JavaScript that pass uploads on.
    NodeRelay,
    GpacRelay,
    /// nginx with the script `scripts/njs.js`; the line that says what becomes of it.
    Njs(&'static str),
    /// node with the script `scripts/node.mjs`; which of its functions answers.
    Node(&'static str),
    /// A live stream of its own input.
    HttpoutSink,
    Icecast,
    /// A few lines of JavaScript that send an input to all clients.
    NodeFanOut,
    GpacFanOut,
    Httpout {
        plugins: &'static [&'static str],
        /// In `scripts/`.
        script: Option<&'static str>,
        /// Further arguments.
        options: &'static [&'static str],
    },
}

/// What we want of a contender, by name.
pub(super) enum Goal {
    /// As many times as cheap as the reference.
    Ratio {
        contender: &'static str,
        at_least: f64,
    },
    /// How much more it takes than another contender.
    Adds {
        contender: &'static str,
        over: &'static str,
        at_most: f64,
    },
    /// What it takes, whatever the reference does.
    Takes {
        contender: &'static str,
        at_most: f64,
    },
}

const NGINX: Contender = Contender {
    name: "nginx",
    server: Server::Nginx,
    field: None,
};

const HTTPOUT: Contender = Contender {
    name: "httpout",
    server: Server::Httpout {
        plugins: &[],
        script: None,
        options: &[],
    },
    field: None,
};

const HTTPOUT_HEADERS: Contender = Contender {
    name: "httpout, plugin fresh",
    server: Server::Httpout {
        plugins: &["headers.wasm?x-gpac=foo"],
        script: None,
        options: &[],
    },
    field: Some(("x-gpac", "foo")),
};

const HTTPOUT_REUSED: Contender = Contender {
    name: "httpout, plugin reused",
    server: Server::Httpout {
        plugins: &["headers.wasm?x-gpac=foo"],
        script: None,
        options: &["--plugin_reuse=1000"],
    },
    ..HTTPOUT_HEADERS
};

/// As a server begins: the code of the plugin was compiled at an earlier start.
const HTTPOUT_CACHED: Contender = Contender {
    name: "httpout, plugin cached",
    ..HTTPOUT_HEADERS
};

const HTTPOUT_GENERATE: Contender = Contender {
    name: "httpout, plugin reads",
    server: Server::Httpout {
        plugins: &["generate.wasm?path=/file.bin&size=536870912"],
        script: None,
        options: &[],
    },
    field: None,
};

const ICECAST: Contender = Contender {
    name: "icecast",
    server: Server::Icecast,
    field: None,
};

const NODE_FAN_OUT: Contender = Contender {
    name: "node",
    server: Server::NodeFanOut,
    field: None,
};

const GPAC_FAN_OUT: Contender = Contender {
    name: "gpac",
    server: Server::GpacFanOut,
    field: None,
};

/// Icecast is the reference, as it is what most radios use.
const FAN_OUT: &[Contender] = &[ICECAST, NODE_FAN_OUT, GPAC_FAN_OUT, HTTPOUT_SINK];

const NODE_RELAY: Contender = Contender {
    name: "node relay",
    server: Server::NodeRelay,
    field: None,
};

const GPAC_RELAY: Contender = Contender {
    name: "gpac",
    server: Server::GpacRelay,
    field: None,
};

const HTTPOUT_MEMORY: Contender = Contender {
    name: "httpout, gmem",
    server: Server::Httpout {
        plugins: &[],
        script: None,
        options: &["--wdir=gmem"],
    },
    field: None,
};

const FIELD: Option<(&str, &str)> = Some(("x-gpac", "foo"));
const TEXT: Option<(&str, &str)> = Some(("content-type", "text/plain"));

const NJS_HEADERS: Contender = Contender {
    name: "njs",
    server: Server::Njs("js_header_filter scripts.headers;"),
    field: FIELD,
};

const NODE_HEADERS: Contender = Contender {
    name: "node",
    server: Server::Node("headers"),
    field: FIELD,
};

const SCRIPT_HEADERS: Contender = Contender {
    name: "httpout, script fresh",
    server: Server::Httpout {
        plugins: &[],
        script: Some("headers.js"),
        options: &[],
    },
    field: FIELD,
};

const SCRIPT_HEADERS_REUSED: Contender = Contender {
    name: "httpout, script reused",
    server: Server::Httpout {
        plugins: &[],
        script: Some("headers.js"),
        options: &["--plugin_reuse=1000"],
    },
    ..SCRIPT_HEADERS
};

const NJS_BODY: Contender = Contender {
    name: "njs",
    server: Server::Njs("js_content scripts.body;"),
    field: TEXT,
};

const NODE_BODY: Contender = Contender {
    name: "node",
    server: Server::Node("body"),
    field: TEXT,
};

/// The file that holds what the scripts answer.
const HTTPOUT_FILE: Contender = Contender {
    name: "httpout, a file",
    ..HTTPOUT
};

const SCRIPT_BODY: Contender = Contender {
    name: "httpout, script fresh",
    server: Server::Httpout {
        plugins: &[],
        script: Some("body.js"),
        options: &[],
    },
    field: TEXT,
};

const SCRIPT_BODY_REUSED: Contender = Contender {
    name: "httpout, script reused",
    server: Server::Httpout {
        plugins: &[],
        script: Some("body.js"),
        options: &["--plugin_reuse=1000"],
    },
    ..SCRIPT_BODY
};

const HTTPOUT_SINK: Contender = Contender {
    server: Server::HttpoutSink,
    ..HTTPOUT
};

const SMALL: Content = Content::Bytes(1024);
const LARGE: Content = Content::Bytes(512 << 20);

/// Head and body in one packet: cheaper for nginx where a body is small or very large, dearer in between and with TLS.
/// Ranges would stall for 40 ms.
const PACKETS: &str = "tcp_nopush on;";

/// Of everything, at the level that is nginx's own, 1.
const GZIP: &[&str] = &["gzip on;", "gzip_types *;", "gzip_min_length 0;"];

/// With the default buffer of 16 KiB it takes nearly twice the time.
const PUT: &[&str] = &[
    "dav_methods PUT;",
    "client_max_body_size 0;",
    "client_body_buffer_size 128k;",
];

/// We beside nginx.
const TWO: &[Contender] = &[NGINX, HTTPOUT];

/// As many times as cheap as nginx.
const fn at_least(ratio: f64) -> Goal {
    Goal::Ratio {
        contender: HTTPOUT.name,
        at_least: ratio,
    }
}

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "W1",
        title: "1 KiB file, keep-alive GET, 64 connections",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[PACKETS],
        contenders: TWO,
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W1t",
        title: "W1 over TLS 1.3, AES-128-GCM",
        protocol: Protocol::Https1,
        content: SMALL,
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[],
        contenders: TWO,
        goals: &[at_least(1.2)],
    },
    Workload {
        name: "W2",
        title: "100 KiB file, keep-alive GET, 64 connections",
        protocol: Protocol::Http1,
        content: Content::Bytes(100 << 10),
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[],
        contenders: TWO,
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W3",
        title: "512 MiB file, keep-alive GET, 16 connections",
        protocol: Protocol::Http1,
        content: LARGE,
        work: Work::Get { connections: 16 },
        unit: Unit::MillisPerGigabyte,
        nginx: &[PACKETS],
        contenders: TWO,
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W3t",
        title: "W3 over TLS 1.3, AES-128-GCM",
        protocol: Protocol::Https1,
        content: LARGE,
        work: Work::Get { connections: 16 },
        unit: Unit::MillisPerGigabyte,
        nginx: &[],
        contenders: TWO,
        goals: &[at_least(1.5)],
    },
    Workload {
        name: "W4",
        title: "ranges of 64 KiB anywhere in a 512 MiB file, 64 connections",
        protocol: Protocol::Http1,
        content: LARGE,
        work: Work::Ranges {
            connections: 64,
            length: 64 << 10,
        },
        unit: Unit::Micros,
        nginx: &[],
        contenders: TWO,
        goals: &[at_least(0.85)],
    },
    Workload {
        name: "W5",
        title: "1 KiB file, HTTP/2 over TLS 1.3, AES-128-GCM, 8 connections of 8 streams",
        protocol: Protocol::Https2,
        content: SMALL,
        work: Work::Multiplexed {
            connections: 8,
            streams: 8,
        },
        unit: Unit::Micros,
        nginx: &[],
        contenders: TWO,
        goals: &[at_least(0.7)],
    },
    Workload {
        name: "W6",
        title: "49,000 bytes of text with gzip, the same file each time, 16 connections",
        protocol: Protocol::Http1,
        content: Content::Texts(1),
        work: Work::Compressed { connections: 16 },
        unit: Unit::Micros,
        nginx: GZIP,
        contenders: TWO,
        goals: &[at_least(20.0)],
    },
    // Each file is asked for once in a round and has changed before it, so no cache of compressed bodies can help,
    // however large. 4000 take a server about two seconds.
    Workload {
        name: "W6c",
        title: "49,000 bytes of text with gzip, another file each time, 16 connections",
        protocol: Protocol::Http1,
        content: Content::Texts(4000),
        work: Work::Compressed { connections: 16 },
        unit: Unit::Micros,
        nginx: GZIP,
        contenders: TWO,
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W7",
        title: "1000 idle connections, each had one GET of 1 KiB",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Idle { connections: 1000 },
        unit: Unit::Bytes,
        nginx: &[],
        contenders: TWO,
        goals: &[Goal::Takes {
            contender: HTTPOUT.name,
            at_most: 12_600.0,
        }],
    },
    Workload {
        name: "W8",
        title: "a live stream of 8 Mbit/s to 200 clients",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::FanOut { clients: 200 },
        unit: Unit::MillisPerGigabyte,
        nginx: &[],
        contenders: FAN_OUT,
        goals: &[at_least(3.0)],
    },
    Workload {
        name: "W8k",
        title: "W8 to 1000 clients",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::FanOut { clients: 1000 },
        unit: Unit::MillisPerGigabyte,
        nginx: &[],
        contenders: FAN_OUT,
        goals: &[at_least(3.0)],
    },
    Workload {
        name: "W9",
        title: "a live upload in chunks of 100 ms, followed by 20 readers",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Relay { readers: 20 },
        unit: Unit::Delay,
        nginx: &[],
        contenders: &[NODE_RELAY, GPAC_RELAY, HTTPOUT, HTTPOUT_MEMORY],
        goals: &[
            Goal::Takes {
                contender: HTTPOUT.name,
                at_most: 5.0,
            },
            Goal::Takes {
                contender: HTTPOUT_MEMORY.name,
                at_most: 5.0,
            },
        ],
    },
    Workload {
        name: "W9k",
        title: "W9 with 1000 readers",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Relay { readers: 1000 },
        unit: Unit::Delay,
        nginx: &[],
        contenders: &[NODE_RELAY, HTTPOUT, HTTPOUT_MEMORY],
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W10",
        title: "PUT of 512 MiB with Content-Length, to a new name",
        protocol: Protocol::Http1,
        content: LARGE,
        work: Work::Put,
        unit: Unit::MillisPerGigabyte,
        nginx: PUT,
        contenders: TWO,
        goals: &[at_least(1.0)],
    },
    Workload {
        name: "W11",
        title: "W1 with a plugin that adds a response field, a new instance for each request, or one again and again",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[PACKETS],
        contenders: &[NGINX, HTTPOUT, HTTPOUT_HEADERS, HTTPOUT_REUSED],
        goals: &[Goal::Adds {
            contender: HTTPOUT_HEADERS.name,
            over: HTTPOUT.name,
            at_most: 20.0,
        }],
    },
    Workload {
        name: "W12",
        title: "a start, from the new process to its first answer of 1 KiB",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Start { times: 20 },
        unit: Unit::Millis,
        nginx: &[],
        contenders: &[HTTPOUT, HTTPOUT_CACHED],
        goals: &[Goal::Takes {
            contender: HTTPOUT_CACHED.name,
            at_most: 20.0,
        }],
    },
    Workload {
        name: "W11r",
        title: "512 MiB that a plugin makes in blocks of 64 KiB (`read`), beside a file, 16 connections",
        protocol: Protocol::Http1,
        content: Content::Zeros(512 << 20),
        work: Work::Get { connections: 16 },
        unit: Unit::MillisPerGigabyte,
        nginx: &[PACKETS],
        contenders: &[NGINX, HTTPOUT, HTTPOUT_GENERATE],
        goals: &[Goal::Takes {
            contender: HTTPOUT_GENERATE.name,
            at_most: 1000.0,
        }],
    },
    Workload {
        name: "W11-JS",
        title: "W1 with a script that adds a response field, a new instance for each request, or one again and again",
        protocol: Protocol::Http1,
        content: SMALL,
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[PACKETS],
        contenders: &[
            NGINX,
            NJS_HEADERS,
            NODE_HEADERS,
            HTTPOUT,
            SCRIPT_HEADERS,
            SCRIPT_HEADERS_REUSED,
        ],
        goals: &[Goal::Adds {
            contender: SCRIPT_HEADERS.name,
            over: HTTPOUT.name,
            at_most: 50.0,
        }],
    },
    Workload {
        name: "W13",
        title: "a small body that a script makes, a new instance for each request, or one again and again",
        protocol: Protocol::Http1,
        content: Content::Text("Hello from /hello.txt\n"),
        work: Work::Get { connections: 64 },
        unit: Unit::Micros,
        nginx: &[],
        contenders: &[
            NJS_BODY,
            NODE_BODY,
            HTTPOUT_FILE,
            SCRIPT_BODY,
            SCRIPT_BODY_REUSED,
        ],
        goals: &[
            Goal::Adds {
                contender: SCRIPT_BODY.name,
                over: HTTPOUT_FILE.name,
                at_most: 50.0,
            },
            Goal::Ratio {
                contender: SCRIPT_BODY_REUSED.name,
                at_least: 0.5,
            },
        ],
    },
];

impl Protocol {
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Http1 => "http",
            Self::Https1 | Self::Https2 => "https",
        }
    }

    pub(super) fn is_encrypted(self) -> bool {
        self.scheme() == "https"
    }
}

pub(super) fn find(name: &str) -> Result<&'static Workload, usage::Error> {
    WORKLOADS
        .iter()
        .find(|workload| workload.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            usage::Error::new(format!(
                "unknown workload or flag `{name}`; there are {}, --rounds, --seconds, --binary",
                names.join(", ")
            ))
        })
}
