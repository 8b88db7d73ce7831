//! What is measured. A new workload is a row here.

use crate::usage;

/// One question: a file, how it is asked for, who answers, and what is expected of us.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) file_size: usize,
    pub(super) connections: u32,
    /// The first is the reference of the table's ratios.
    pub(super) contenders: &'static [Contender],
    pub(super) goals: &'static [Goal],
}

pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) server: Server,
    /// The field that every response must have.
    pub(super) field: Option<(&'static str, &'static str)>,
}

pub(super) enum Server {
    Nginx,
    Httpout { plugins: &'static [&'static str] },
}

/// What we want of a contender, by name.
pub(super) enum Goal {
    /// As many times as fast as the reference.
    Ratio {
        contender: &'static str,
        at_least: f64,
    },
    /// How much more CPU each request takes than with another contender.
    Adds {
        contender: &'static str,
        over: &'static str,
        at_most_micros: f64,
    },
}

const NGINX: Contender = Contender {
    name: "nginx",
    server: Server::Nginx,
    field: None,
};

const HTTPOUT: Contender = Contender {
    name: "httpout",
    server: Server::Httpout { plugins: &[] },
    field: None,
};

const HTTPOUT_HEADERS: Contender = Contender {
    name: "httpout, plugin fresh",
    server: Server::Httpout {
        plugins: &["headers.wasm?x-gpac=foo"],
    },
    field: Some(("x-gpac", "foo")),
};

/// A file that we are to send at least as cheaply as nginx.
const fn beside_nginx(
    name: &'static str,
    title: &'static str,
    file_size: usize,
    connections: u32,
) -> Workload {
    Workload {
        name,
        title,
        file_size,
        connections,
        contenders: &[NGINX, HTTPOUT],
        goals: &[Goal::Ratio {
            contender: HTTPOUT.name,
            at_least: 1.0,
        }],
    }
}

pub(super) const WORKLOADS: &[Workload] = &[
    beside_nginx("W1", "1 KiB file, keep-alive GET, 64 connections", 1024, 64),
    beside_nginx(
        "W2",
        "100 KiB file, keep-alive GET, 64 connections",
        100 << 10,
        64,
    ),
    beside_nginx(
        "W3",
        "64 MiB file, keep-alive GET, 16 connections",
        64 << 20,
        16,
    ),
    Workload {
        name: "W11",
        title: "W1 with a plugin that adds a response field, a new instance for each request",
        file_size: 1024,
        connections: 64,
        contenders: &[NGINX, HTTPOUT, HTTPOUT_HEADERS],
        goals: &[Goal::Adds {
            contender: HTTPOUT_HEADERS.name,
            over: HTTPOUT.name,
            at_most_micros: 20.0,
        }],
    },
];

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
