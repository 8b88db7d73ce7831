//! Where media come from: files, pipes, sockets and other servers.

mod file_sink;
mod http;
mod icy;
mod process;
mod shoutcast;
mod source;

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UdpSocket, UnixStream};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::http::authority::has_wrong_port;
pub(crate) use file_sink::{FileSink, FileTarget, FileWriter, describe};
pub(crate) use process::file_url;
pub(crate) use source::{Source, Target};

/// Bytes that are read at a time of what is not a file.
const BLOCK: usize = 64 << 10;

/// How long a program may take to end when its output has.
const LAST_WORK: Duration = Duration::from_secs(10);

/// Bytes that are read at a time of a file.
const FILE_BLOCK: usize = 256 << 10;

/// Where an input comes from (option `-i`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file, or a FIFO.
    File(PathBuf),
    /// `-`
    Stdin,
    /// `http://` and `https://`, pulled.
    Http(Uri),
    /// `tcp://HOST:PORT`, connected to.
    Tcp(String),
    /// `udp://[ADDRESS]:PORT`, received; of a group where the address is one.
    Udp(SocketAddr),
    /// `unix:PATH`, connected to.
    Unix(PathBuf),
}

/// An input that is being read.
pub(crate) enum Input {
    File(Arc<File>),
    Stream(Box<dyn AsyncRead + Send + Sync + Unpin>),
    Datagrams(UdpSocket),
    Response(Box<http::Response>),
    /// What a program makes of an input.
    Process(Box<process::Process>),
}

impl Origin {
    /// Takes what stands after `-i`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Origin, String> {
        if text == "-" {
            return Ok(Origin::Stdin);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Origin::Unix(path.strip_prefix("//").unwrap_or(path).into()));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Origin::File(text.into()));
        };
        let place = rest.trim_end_matches('/');
        match scheme {
            "http" | "https" => match text.parse::<Uri>() {
                Ok(url) if has_wrong_port(&url) => {
                    Err("its port is none: they go up to 65535".to_owned())
                }
                Ok(url) if url.host().is_some_and(|host| !host.is_empty()) => Ok(Origin::Http(url)),
                _ => Err("it is no URL such as `http://host/live.mp3`".to_owned()),
            },
            "tcp" => match place.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                    Ok(Origin::Tcp(place.to_owned()))
                }
                _ => Err("write `tcp://HOST:PORT`".to_owned()),
            },
            "udp" => {
                let place = place.trim_start_matches('@');
                let any = format!("0.0.0.0{place}");
                let address = place.parse().or_else(|_| any.parse());
                address
                    .map(Origin::Udp)
                    .map_err(|_| "write `udp://ADDRESS:PORT` or `udp://:PORT`".to_owned())
            }
            "file" => Ok(Origin::File(rest.into())),
            _ => Err(format!(
                "`{}://` is none of `http://`, `https://`, `tcp://`, `udp://` and `unix:`",
                scheme.escape_debug()
            )),
        }
    }

    /// Whether it has the name of a file.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Origin::File(_))
    }

    /// Begins to read.
    pub(crate) async fn open(&self) -> io::Result<Input> {
        match self {
            Origin::File(path) if std::fs::metadata(path)?.file_type().is_fifo() => {
                let fifo = pipe::OpenOptions::new().open_receiver(path)?;
                // Until somebody writes, reading would look like the end.
                fifo.readable().await?;
                Ok(Input::Stream(Box::new(fifo)))
            }
            Origin::File(path) => from_file(File::open(path)?),
            Origin::Stdin => from_file(io::stdin().as_fd().try_clone_to_owned()?.into()),
            Origin::Http(url) => Ok(Input::Response(Box::new(http::get(url).await?))),
            Origin::Tcp(place) => Ok(Input::Stream(Box::new(TcpStream::connect(place).await?))),
            Origin::Unix(path) => Ok(Input::Stream(Box::new(UnixStream::connect(path).await?))),
            Origin::Udp(address) => Ok(Input::Datagrams(receive(*address).await?)),
        }
    }
}

fn from_file(file: File) -> io::Result<Input> {
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    Ok(match found.file_type().is_fifo() {
        true => Input::Stream(Box::new(pipe::Receiver::from_file(file)?)),
        false => Input::File(Arc::new(file)),
    })
}

async fn receive(address: SocketAddr) -> io::Result<UdpSocket> {
    match address.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            let socket = UdpSocket::bind(address).await?;
            socket.join_multicast_v4(group, std::net::Ipv4Addr::UNSPECIFIED)?;
            Ok(socket)
        }
        IpAddr::V6(group) if group.is_multicast() => {
            let socket = UdpSocket::bind(address).await?;
            socket.join_multicast_v6(&group, 0)?;
            Ok(socket)
        }
        _ => UdpSocket::bind(address).await,
    }
}

impl Input {
    /// The next bytes; empty at the end.
    pub(crate) async fn read(&mut self) -> io::Result<Bytes> {
        match self {
            Input::File(file) => {
                let file = file.clone();
                let reading = spawn_blocking(move || {
                    let mut block = vec![0; FILE_BLOCK];
                    let count = (&*file).read(&mut block)?;
                    block.truncate(count);
                    Ok(block.into())
                });
                reading.await.map_err(io::Error::other).flatten()
            }
            Input::Stream(stream) => read(stream).await,
            Input::Process(process) => process.read().await,
            Input::Response(response) => response.read().await,
            Input::Datagrams(socket) => loop {
                let mut block = BytesMut::with_capacity(BLOCK);
                if socket.recv_buf(&mut block).await? > 0 {
                    return Ok(fitted(block));
                }
            },
        }
    }

    /// The title that has come with the bytes, once.
    pub(super) fn take_title(&mut self) -> Option<String> {
        match self {
            Input::Response(response) => response.take_title(),
            _ => None,
        }
    }

    /// Whether it waits for us: what is not read now can be read later.
    pub(super) fn can_wait(&self) -> bool {
        match self {
            Input::File(_) | Input::Response(_) => true,
            Input::Stream(_) | Input::Datagrams(_) | Input::Process(_) => false,
        }
    }

    /// Whether it has come to an end that was told beforehand.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Input::Response(response) => response.is_whole(),
            input => input.is_here(),
        }
    }

    /// Whether its end is told, so that what has none is not whole.
    pub(super) fn has_end(&self) -> bool {
        match self {
            Input::Response(response) => response.has_length(),
            _ => self.is_here(),
        }
    }

    /// Whether it would be the same if it was opened again.
    pub(super) fn is_here(&self) -> bool {
        match self {
            Input::File(_) => true,
            Input::Process(process) => !process.is_fed(),
            Input::Response(_) | Input::Stream(_) | Input::Datagrams(_) => false,
        }
    }

    /// Looks how that has ended which has nothing more to say.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        let Input::Process(process) = self else {
            return Ok(());
        };
        let status = timeout(LAST_WORK, process.wait()).await;
        let status = status.map_err(|_| io::Error::other("ffmpeg does not end"))??;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("ffmpeg has failed: {status}"))),
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut block = BytesMut::with_capacity(BLOCK);
    stream.read_buf(&mut block).await?;
    Ok(fitted(block))
}

/// What has come, without much room beside it: it may be kept for long, and so would be that.
fn fitted(block: BytesMut) -> Bytes {
    match block.len() < BLOCK / 4 {
        true => Bytes::copy_from_slice(&block),
        false => block.freeze(),
    }
}
