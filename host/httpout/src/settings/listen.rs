//! Where a server listens, and with which certificate: options `port`, `ifce`, `cert` and `pkey`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use httpout_options::Options;

use crate::error::StartupError;
use crate::settings::{ServerSettings, locate, refuse};

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// 0 takes any free one.
    pub(crate) port: u16,
    pub(crate) interface: Interface,
    pub(crate) secure: bool,
}

/// The documented `cert` and `pkey`, which may be one file.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) pkey: PathBuf,
}

/// The documented `ifce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interface {
    All,
    Address(IpAddr),
    Named(String),
}

impl Listen {
    /// Whether who connects there arrives here.
    pub(super) fn covers(&self, other: &Listen) -> bool {
        self.port == other.port && self.interface.includes(&other.interface)
    }

    /// Whether only one of the two can be bound.
    fn collides(&self, other: &Listen) -> bool {
        self.port != 0 && (self.covers(other) || other.covers(self))
    }
}

impl Interface {
    fn includes(&self, other: &Interface) -> bool {
        match (self, other) {
            (Interface::All, _) => true,
            (Interface::Address(all), Interface::Address(one)) if all.is_unspecified() => {
                all.is_ipv4() == one.is_ipv4()
            }
            _ => self == other,
        }
    }
}

/// No two servers, and no two ports of a server, may be at the same place.
pub(super) fn check_places(servers: &[ServerSettings]) -> Result<(), StartupError> {
    let mut taken: Vec<&Listen> = Vec::new();
    for server in servers {
        for listen in &server.listen {
            if taken.iter().any(|other| other.collides(listen)) {
                let port = listen.port;
                let reason = format!("`{port}` is the port of two listeners: give each its own");
                return Err(locate(&server.options, refuse("port", reason)));
            }
            taken.push(listen);
        }
    }
    Ok(())
}

/// Of several ports with TLS the first is plain HTTP, as in GPAC.
pub(super) fn listen(options: &Options, tls: bool) -> Result<Vec<Listen>, StartupError> {
    let ports = match options.port.as_slice() {
        _ if !options.is_set("port") => &[if tls { 443 } else { 80 }],
        [] => return Err(refuse("port", "a number is missing: write `port=8080`")),
        given => given,
    };
    let interface = interface(options)?;
    let listen = ports.iter().enumerate().map(|(index, port)| Listen {
        port: *port,
        interface: interface.clone(),
        secure: tls && (index > 0 || ports.len() == 1),
    });
    Ok(listen.collect())
}

fn interface(options: &Options) -> Result<Interface, StartupError> {
    Ok(match options.ifce.as_deref() {
        None => Interface::All,
        Some("localhost") => Interface::Address(Ipv4Addr::LOCALHOST.into()),
        Some(text) => match text.parse() {
            Ok(address) => Interface::Address(address),
            Err(_) if is_interface(text) => Interface::Named(text.to_owned()),
            Err(_) => {
                let reason = format!(
                    "`{}` is neither an IP address nor a network interface of this machine",
                    text.escape_debug()
                );
                return Err(refuse("ifce", reason));
            }
        },
    })
}

fn is_interface(name: &str) -> bool {
    let plain = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    plain && std::path::Path::new("/sys/class/net").join(name).exists()
}

pub(super) fn tls_files(options: &Options) -> Result<Option<TlsFiles>, StartupError> {
    const BOTH: &str = "TLS needs `cert` and `pkey` (one file may hold both)";
    match (options.cert.as_deref(), options.pkey.as_deref()) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(refuse("pkey", format!("a file is missing: {BOTH}"))),
        (None, Some(_)) => Err(refuse("cert", format!("a file is missing: {BOTH}"))),
        (Some(cert), Some(pkey)) => Ok(Some(TlsFiles {
            cert: cert.into(),
            pkey: pkey.into(),
        })),
    }
}
