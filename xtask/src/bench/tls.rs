//! The certificate of the servers, and what they negotiate.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::site;
use super::workloads::Protocol;
use crate::{process, tools};

/// What all contenders encrypt with.
pub(super) const CIPHER: &str = "TLS_AES_128_GCM_SHA256";

/// A certificate and its key, as files.
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// That of the work folder, made the first time.
    pub(crate) fn obtain() -> Result<Self> {
        let work = site::work_folder()?;
        let certificate = Self {
            chain: work.join("certificate.pem"),
            key: work.join("key.pem"),
        };
        if !certificate.chain.exists() || !certificate.key.exists() {
            certificate.make()?;
        }
        Ok(certificate)
    }

    fn make(&self) -> Result<()> {
        let mut command = Command::new(tools::require("openssl", "openssl")?);
        command
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "3650"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .arg("-keyout")
            .arg(&self.key)
            .arg("-out")
            .arg(&self.chain);
        process::output(&mut command).map(drop)
    }
}

/// Fails unless a client with OpenSSL's preferences, such as wrk, gets TLS 1.3 with the cipher, and the protocol.
pub(super) fn check(address: SocketAddr, protocol: Protocol) -> Result<()> {
    let mut command = Command::new(tools::require("openssl", "openssl")?);
    command
        .args(["s_client", "-verify_return_error", "-CAfile"])
        .arg(Certificate::obtain()?.chain)
        .args(["-connect", &address.to_string()])
        .args(["-servername", "localhost"])
        .stdin(Stdio::null());
    if protocol == Protocol::Https2 {
        command.args(["-alpn", "h2,http/1.1"]);
    }
    let output = process::output(&mut command).context("no TLS handshake")?;
    check_report(&String::from_utf8_lossy(&output.stdout), protocol)
}

fn check_report(report: &str, protocol: Protocol) -> Result<()> {
    let line = |start: &str| {
        report
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    let negotiated = line("New, ");
    ensure!(
        negotiated == format!("New, TLSv1.3, Cipher is {CIPHER}"),
        "negotiated `{negotiated}` instead of TLS 1.3 with {CIPHER}"
    );
    let negotiated = line("ALPN protocol:");
    ensure!(
        protocol != Protocol::Https2 || negotiated == "ALPN protocol: h2",
        "negotiated `{negotiated}` instead of h2"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str =
        "CONNECTED(00000003)\n---\nNew, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256\n";

    #[test]
    fn another_cipher_or_protocol_fails() {
        assert!(check_report(REPORT, Protocol::Https1).is_ok());
        assert!(check_report(REPORT, Protocol::Https2).is_err());
        let both = format!("{REPORT}ALPN protocol: h2\n");
        assert!(check_report(&both, Protocol::Https2).is_ok());
        let other = REPORT.replace("128_GCM_SHA256", "256_GCM_SHA384");
        assert!(check_report(&other, Protocol::Https1).is_err());
    }
}
