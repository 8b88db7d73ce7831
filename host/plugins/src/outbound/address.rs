//! Addresses that are not anybody's on the Internet: loopback, private networks, what a cloud tells its machines.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Networks that no name leads to unless the grant says that they are meant (IANA's registries of special-purpose
/// addresses), the closest first.
const SPECIAL: [&str; 31] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    // Azure's metadata, though it looks public.
    "168.63.129.16/32",
    // Link-local, and the metadata of most clouds.
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    // 6to4: an IPv4 address in disguise.
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    // All that is not 2000::/3.
    "::/3",
    "4000::/2",
    "8000::/2",
    "c000::/2",
];

/// The special networks.
#[derive(Debug)]
pub(super) struct Special {
    networks: Vec<IpNet>,
}

impl Special {
    pub(super) fn new() -> Special {
        let parse = |text: &str| text.parse().expect("the networks above are well-formed");
        Special {
            networks: SPECIAL.map(parse).into(),
        }
    }

    /// The special network that an address is in.
    pub(super) fn network_of(&self, address: IpAddr) -> Option<IpNet> {
        let mut networks = self.networks.iter();
        networks.find(|network| network.contains(&address)).copied()
    }
}

/// Where packets to an address end: those to IPv4-mapped ones and through NAT64 at an IPv4 address.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => match six.octets() {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            }
            _ => IpAddr::V6(six),
        },
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_special(text: &str) -> bool {
        let address: IpAddr = text.parse().expect("is an address");
        Special::new().network_of(meant(address)).is_some()
    }

    #[test]
    fn what_is_not_on_the_internet_is_special() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2001::1",
            "2002:7f00:1::",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(is_special(address), "{address}");
        }
    }

    #[test]
    fn what_is_on_the_internet_is_not() {
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2606:4700:4700::1111",
            "2a00::1",
        ] {
            assert!(!is_special(address), "{address}");
        }
    }
}
