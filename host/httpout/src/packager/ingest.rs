//! Where ffmpeg pushes to: a listener of this run, which nobody else can write to.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex};

use ::http::HeaderValue;
use rustix::fs::{MemfdFlags, memfd_create};
use rustls::crypto::aws_lc_rs;

use crate::mode::{FileServer, Mode, Private, Written};
use crate::packager::package::Package;
use crate::server::PrivateListener;
use crate::site::Site;

/// A listener, and what its program has to know.
pub(super) struct Ingest {
    package: Arc<Package>,
    listener: PrivateListener,
    files: Arc<FileServer>,
    secret: HeaderValue,
    /// Options in ffmpeg's form: command lines can be seen by every user of the machine, this by our children only.
    preset: File,
}

impl Ingest {
    pub(super) async fn open(package: Arc<Package>) -> io::Result<Ingest> {
        let secret = secret()?;
        // It has no name, and children inherit it.
        let mut preset = File::from(memfd_create("httpout", MemfdFlags::empty())?);
        writeln!(preset, "http_user_agent={secret}")?;
        Ok(Ingest {
            listener: PrivateListener::bind().await?,
            files: Arc::new(FileServer::private(package.uploads())),
            secret: HeaderValue::try_from(secret).map_err(io::Error::other)?,
            preset,
            package,
        })
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        self.listener.port()
    }

    /// The name under which ffmpeg finds its further options.
    pub(super) fn preset(&self) -> String {
        format!("/proc/self/fd/{}", self.preset.as_raw_fd())
    }

    /// Takes what comes, for ever.
    pub(super) async fn serve(&self) {
        let package = self.package.clone();
        let written: Written = Arc::new(move |path: &[u8]| package.note(path));
        self.listener
            .accept(|| {
                let mode = Mode::Private(Private {
                    files: self.files.clone(),
                    secret: self.secret.clone(),
                    written: written.clone(),
                    first: Mutex::new(self.files.begin()),
                });
                Site::private(mode, self.package.uploads().timeout)
            })
            .await;
    }

    /// Lets what has come be written, within a bound.
    pub(super) async fn finish(&self) {
        self.listener.finish().await;
    }
}

/// 128 bits that nobody can guess, in hexadecimal digits.
fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    let random = aws_lc_rs::default_provider().secure_random;
    let filled = random.fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
