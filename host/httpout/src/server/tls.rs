//! TLS: the certificate and key of the options, checked, and the handshake (documents: httpout, HTTPS server).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CipherSuite, ServerConfig};
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::{StartupError, shown};
use crate::server::refusal;
use crate::server::wire::Wire;
use crate::settings::TlsFiles;

/// Bytes that are encrypted and sent at once, as 16 records of the largest size.
const BATCH: usize = 256 << 10;

/// What browsers and curl agree on by ALPN, in our order.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Reads certificate and key; TLS 1.2 and 1.3, resumption by tickets.
pub(super) fn load(files: &TlsFiles) -> Result<TlsAcceptor, StartupError> {
    let provider = Arc::new(provider());
    let certified = Arc::new(certified_key(files, &provider)?);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    config.ignore_client_order = true;
    // A ticket holds the session: nothing is kept here.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(unusable)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Speaks TLS with a client that has just connected; one that speaks plain HTTP is told so, and none comes back.
pub(super) async fn accept(
    mut wire: Wire,
    acceptor: &TlsAcceptor,
) -> io::Result<Option<Box<TlsStream<Wire>>>> {
    let mut first = [0];
    // A handshake begins with 22, a request with a letter.
    if wire.socket.peek(&mut first).await? > 0 && first[0].is_ascii_alphabetic() {
        refusal::tell(&mut wire.socket, refusal::PLAIN_ON_TLS).await;
        return Ok(None);
    }
    let accepting = acceptor.accept_with(wire, |session| {
        session.set_buffer_limit(Some(BATCH));
    });
    Ok(Some(Box::new(accepting.await?)))
}

/// The cheapest cipher first: with hardware support AES-128 is the fastest, and none of them is weak.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let is_other = |suite: CipherSuite| suite != CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider
        .cipher_suites
        .sort_by_key(|suite| is_other(suite.suite()));
    provider
}

fn certified_key(
    files: &TlsFiles,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, StartupError> {
    // The key first: where one file holds both, an encrypted key is no PEM section that could be skipped.
    let key = private_key("pkey", &files.pkey)?;
    let chain = certificates("cert", &files.cert)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => refuse(
            "pkey",
            &files.pkey,
            "is not the key of the certificate (option `cert`)",
        ),
        rustls::Error::InvalidCertificate(error) => refuse(
            "cert",
            &files.cert,
            &format!("holds a certificate that cannot be used: {error}"),
        ),
        error => refuse(
            "pkey",
            &files.pkey,
            &format!("holds a key that cannot be used: {error}"),
        ),
    })
}

/// The chain, the server's own certificate first.
fn certificates(
    option: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, StartupError> {
    let pem = read(option, path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| malformed(option, path, &error))?;
    if !chain.is_empty() {
        return Ok(chain);
    }
    let reason = match holds(&pem, "PRIVATE KEY-----") {
        true => "holds a private key and no certificate",
        false => "holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)",
    };
    Err(refuse(option, path, reason))
}

/// PKCS#8, PKCS#1 or SEC1.
fn private_key(option: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, StartupError> {
    let pem = read(option, path)?;
    if holds(&pem, "BEGIN ENCRYPTED PRIVATE KEY") || holds(&pem, "Proc-Type: 4,ENCRYPTED") {
        let reason = "is encrypted: decrypt it first (`openssl pkey -in FILE -out PLAIN`)";
        return Err(refuse(option, path, reason));
    }
    match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) => {
            let reason = match holds(&pem, "BEGIN CERTIFICATE-----") {
                true => "holds a certificate and no private key",
                false => "holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)",
            };
            Err(refuse(option, path, reason))
        }
        Err(error) => Err(malformed(option, path, &error)),
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, StartupError> {
    std::fs::read(path).map_err(|error| refuse(option, path, &format!("cannot be read: {error}")))
}

fn holds(pem: &[u8], text: &str) -> bool {
    pem.windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn malformed(option: &'static str, path: &Path, error: &PemError) -> StartupError {
    let reason = match error {
        PemError::MissingSectionEnd { .. } => "is cut off: a PEM section has no end",
        PemError::Base64Decode(_) => "is damaged: a PEM section is not base64",
        _ => "is not a PEM file",
    };
    refuse(option, path, reason)
}

fn refuse(option: &'static str, path: &Path, reason: &str) -> StartupError {
    let reason = format!("`{}` {reason}", shown(path));
    StartupError::Option { option, reason }
}

fn unusable(error: rustls::Error) -> StartupError {
    StartupError::Runtime(io::Error::other(error))
}
