//! Destinations that a plugin may reach: the grammar of option `plugin_allow`, and what it allows.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::uri::Scheme;
use ipnet::IpNet;

use crate::outbound::address::{Special, meant};

/// One destination, or a family of them: `[http://|https://]HOST[:PORT|:*]`.
///
/// HOST is a name, `*.` and a name for all below it, an address (IPv6 in brackets where a port follows), or a network
/// such as `10.0.0.0/8`. Without a port it is that of the scheme: 80 or 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// None for both.
    scheme: Option<Scheme>,
    host: Host,
    port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In lower case.
    Name(String),
    /// Names that end so: a dot, then a name in lower case.
    Below(String),
    Network(IpNet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    OfScheme,
    Any,
    Only(u16),
}

/// Where a request wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(crate) scheme: &'a Scheme,
    /// A name, or an address, in brackets if it is one of IPv6.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

/// What has to be known of a host before it can be connected to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It was granted by its name: whatever addresses that has are to be checked.
    Resolve,
    /// These addresses, which were checked.
    Connect(Vec<SocketAddr>),
}

/// All destinations of a plugin.
#[derive(Debug)]
pub(crate) struct Destinations {
    granted: Vec<Destination>,
    special: Special,
}

impl Destinations {
    pub(crate) fn new(granted: Vec<Destination>) -> Destinations {
        Destinations {
            granted,
            special: Special::new(),
        }
    }

    /// How to get to a destination; none if it was not granted. No name is resolved that was not granted, because the
    /// question alone would tell somebody something.
    pub(crate) fn way(&self, wanted: &Wanted<'_>) -> Option<Way> {
        if let Some(address) = parse_address(wanted.host) {
            return self
                .allows_address(wanted, address)
                .then(|| Way::Connect(vec![SocketAddr::new(address, wanted.port)]));
        }
        let name = wanted.host.to_ascii_lowercase();
        let is_granted = |granted: &Destination| granted.names(&name) && granted.fits(wanted);
        if !self.granted.iter().any(is_granted) {
            return None;
        }
        // Those names lead to this machine, whatever a resolver says (RFC 6761 6.3): who grants them means it.
        if name == "localhost" || name.ends_with(".localhost") {
            let both = ["127.0.0.1", "::1"].map(|text| text.parse().expect("are addresses"));
            let ported = both.map(|address: IpAddr| SocketAddr::new(address, wanted.port));
            return Some(Way::Connect(ported.into()));
        }
        Some(Way::Resolve)
    }

    /// Those addresses of a granted name that may be connected to.
    pub(crate) fn check(&self, wanted: &Wanted<'_>, resolved: &[SocketAddr]) -> Vec<SocketAddr> {
        let allowed = resolved.iter().filter(|resolved| {
            let is_public = self.special.network_of(meant(resolved.ip())).is_none();
            is_public || self.allows_address(wanted, resolved.ip())
        });
        allowed.copied().collect()
    }

    /// Whether an entry names the address or its network. One that is larger than a special network does not mean it:
    /// `0.0.0.0/0` is the Internet, not the machines beside this one.
    fn allows_address(&self, wanted: &Wanted<'_>, address: IpAddr) -> bool {
        let address = meant(address);
        let special = self.special.network_of(address);
        self.granted.iter().any(|granted| match &granted.host {
            Host::Network(network) => {
                network.contains(&address)
                    && special.is_none_or(|special| special.contains(network))
                    && granted.fits(wanted)
            }
            _ => false,
        })
    }

    /// Whether any of them may be asked over TLS.
    pub(crate) fn allow_https(&self) -> bool {
        let mut granted = self.granted.iter();
        granted.any(|granted| granted.scheme != Some(Scheme::HTTP))
    }
}

impl Destination {
    fn names(&self, name: &str) -> bool {
        match &self.host {
            Host::Name(granted) => name == granted,
            Host::Below(end) => name.len() > end.len() && name.ends_with(end.as_str()),
            Host::Network(_) => false,
        }
    }

    /// Whether scheme and port are as granted.
    fn fits(&self, wanted: &Wanted<'_>) -> bool {
        let port_of_scheme = if *wanted.scheme == Scheme::HTTPS {
            443
        } else {
            80
        };
        let fits_port = match self.port {
            Port::OfScheme => wanted.port == port_of_scheme,
            Port::Any => true,
            Port::Only(port) => wanted.port == port,
        };
        fits_port
            && self
                .scheme
                .as_ref()
                .is_none_or(|scheme| scheme == wanted.scheme)
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Destination, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::HTTP), rest),
            Some(("https", rest)) => (Some(Scheme::HTTPS), rest),
            Some(_) => return Err("has another scheme than `http` or `https`".to_owned()),
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        let host = parse_host(host)?;
        Ok(Destination { scheme, host, port })
    }
}

/// The colons of an IPv6 address or network without brackets begin no port.
fn split_port(text: &str) -> Result<(&str, Port), String> {
    if text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok() {
        return Ok((text, Port::OfScheme));
    }
    match text.rsplit_once(':') {
        Some((host, "*")) => Ok((host, Port::Any)),
        Some((host, port)) if !port.contains(']') => match port.parse() {
            Ok(port) if port > 0 => Ok((host, Port::Only(port))),
            _ => Err("has a port that is none of 1 to 65535, or `*` for any".to_owned()),
        },
        _ => Ok((text, Port::OfScheme)),
    }
}

fn parse_host(text: &str) -> Result<Host, String> {
    if let Some(address) = parse_address(text) {
        return Ok(Host::Network(meant(address).into()));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Ok(network) = bare.unwrap_or(text).parse::<IpNet>() {
        return match network.trunc() == network {
            true => Ok(Host::Network(network)),
            false => Err(format!("is no network: write `{}`", network.trunc())),
        };
    }
    let (name, is_below) = match text.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (text, false),
    };
    if !is_name(name) {
        return Err(
            "is no host: write a name, `*.` and a name, an address or a network, with `:PORT` or `:*` behind it"
                .to_owned(),
        );
    }
    let name = name.to_ascii_lowercase();
    Ok(match is_below {
        true => Host::Below(format!(".{name}")),
        false => Host::Name(name),
    })
}

/// An address as an authority has it: that of IPv6 in brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    match text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        Some(six) => six.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

/// Labels of letters, digits, `-` and `_`. The last is no number: `127.1` is an address to some resolvers.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.split('.').all(is_label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(list: &str) -> Destinations {
        let parse = |text: &str| text.parse().expect("is a destination");
        Destinations::new(list.split(',').map(parse).collect())
    }

    fn way(list: &str, url: &str) -> Option<Way> {
        with_wanted(url, |wanted| granted(list).way(wanted))
    }

    fn with_wanted<T>(url: &str, ask: impl FnOnce(&Wanted<'_>) -> T) -> T {
        let uri: http::Uri = url.parse().expect("is a URL");
        let scheme = uri.scheme().expect("has a scheme");
        let port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        ask(&Wanted {
            scheme,
            host: uri.host().expect("has a host"),
            port: uri.port_u16().unwrap_or(port),
        })
    }

    fn checked(list: &str, url: &str, address: &str) -> bool {
        let address = SocketAddr::new(address.parse().expect("is an address"), 80);
        with_wanted(url, |wanted| {
            !granted(list).check(wanted, &[address]).is_empty()
        })
    }

    #[test]
    fn names_ports_and_schemes_are_those_granted() {
        for (list, url, is_granted) in [
            ("example.org", "http://example.org/", true),
            ("Example.org", "https://EXAMPLE.ORG/", true),
            ("example.org", "https://example.org:443/", true),
            ("example.org", "http://example.org:443/", false),
            ("example.org", "http://example.org:8080/", false),
            ("example.org:*", "http://example.org:8080/", true),
            ("example.org:8080", "http://example.org:8080/", true),
            ("example.org:8080", "http://example.org/", false),
            ("https://example.org", "https://example.org/", true),
            ("https://example.org", "http://example.org/", false),
            ("https://example.org:*", "http://example.org:443/", false),
            ("example.org", "http://a.example.org/", false),
            ("*.example.org", "http://a.example.org/", true),
            ("*.example.org", "http://a.b.example.org/", true),
            ("*.example.org", "http://example.org/", false),
            ("*.example.org", "http://badexample.org/", false),
            ("example.org", "http://example.org./", false),
            ("a.org,b.org", "http://b.org/", true),
            // A network grants no name: the question for it could leave.
            ("0.0.0.0/0", "http://example.org/", false),
        ] {
            assert_eq!(way(list, url).is_some(), is_granted, "{list} {url}");
        }
    }

    #[test]
    fn addresses_are_granted_by_address_or_network_alone() {
        for (list, url, is_granted) in [
            ("1.1.1.1", "http://1.1.1.1/", true),
            ("1.1.1.0/24", "http://1.1.1.1/", true),
            ("0.0.0.0/0", "http://1.1.1.1/", true),
            ("0.0.0.0/0", "http://127.0.0.1/", false),
            ("0.0.0.0/0", "http://169.254.169.254/", false),
            ("::/0", "http://[::1]/", false),
            ("127.0.0.0/8", "http://127.0.0.1/", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/", true),
            ("127.0.0.1", "http://[::ffff:127.0.0.1]/", true),
            ("10.0.0.0/8", "http://127.0.0.1/", false),
            ("[::1]:8080", "http://[::1]:8080/", true),
            ("::1", "http://[::1]/", true),
            ("fd00::/8", "http://[fd00::1]/", true),
            ("[fd00::/8]:81", "http://[fd00::1]:81/", true),
            ("10.0.0.0/8:*", "http://10.0.0.1:81/", true),
            ("localhost", "http://127.0.0.1/", false),
        ] {
            assert_eq!(way(list, url).is_some(), is_granted, "{list} {url}");
        }
    }

    #[test]
    fn a_name_leads_to_public_addresses_unless_others_are_granted_too() {
        let url = "http://example.org/";
        for (list, address, is_allowed) in [
            ("example.org", "1.1.1.1", true),
            ("example.org", "127.0.0.1", false),
            ("example.org", "::ffff:10.0.0.1", false),
            ("example.org", "64:ff9b::7f00:1", false),
            ("example.org,10.0.0.0/8", "10.0.0.1", true),
            ("example.org,10.0.0.0/8", "192.168.0.1", false),
            ("example.org,10.0.0.0/8:81", "10.0.0.1", false),
            ("example.org,https://10.0.0.0/8", "10.0.0.1", false),
        ] {
            assert_eq!(checked(list, url, address), is_allowed, "{list} {address}");
        }
    }

    #[test]
    fn localhost_is_this_machine_and_never_asked_for() {
        let both = ["127.0.0.1:80", "[::1]:80"].map(|text| text.parse().expect("is an address"));
        for url in ["http://localhost/", "http://LOCALHOST/"] {
            assert_eq!(
                way("localhost", url),
                Some(Way::Connect(both.into())),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "ftp://a.org",
            "a.org/path",
            "user@a.org",
            "a.org:",
            "a.org:0",
            "a.org:65536",
            "a..org",
            "*.*.org",
            "a.*",
            "127.1",
            "0x7f.1",
            "10.1.0.0/8",
            "[::1",
            "a b",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
