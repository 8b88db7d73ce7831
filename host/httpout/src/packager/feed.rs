//! How an input comes to ffmpeg: by its name, or through a pipe where ffmpeg cannot open it itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::time::{Instant, sleep, timeout_at};

use crate::input::{self, Input, Origin};
use crate::packager::probe::Sample;
use crate::within::within;

/// Between two attempts to open an input.
const AGAIN: Duration = Duration::from_millis(500);

/// The most bytes that are looked at before ffmpeg gets them.
const LOOKED_AT: usize = 8 << 20;

/// An input that is there.
pub(super) enum Opened {
    /// It has not come in time.
    Nothing,
    /// A file or URL that ffmpeg opens.
    Url(OsString),
    /// What has come of it by now, the time that took, and the rest.
    Stream {
        start: Bytes,
        took: Duration,
        input: Box<Input>,
    },
}

/// What is passed on to ffmpeg, if it is.
pub(super) struct Feed {
    stream: Option<(Bytes, Box<Input>, ChildStdin)>,
    timeout: Option<Duration>,
    /// The input, once there is no more.
    end: Option<Box<Input>>,
}

/// The name under which ffmpeg finds a file; none where it has to be read by us.
pub(super) fn file_url(origin: &Origin) -> Option<OsString> {
    let Origin::File(path) = origin else {
        return None;
    };
    let is_file = std::fs::metadata(path).map_or(true, |found| found.is_file() || found.is_dir());
    is_file.then(|| input::file_url(path))
}

/// Waits until an input is there, within the patience; none is for ever. Of one that we read, what comes in the time of
/// `looking` is kept to look into.
pub(super) async fn open(
    origin: &Origin,
    patience: Option<Duration>,
    looking: Duration,
) -> io::Result<Opened> {
    if let Some(url) = file_url(origin) {
        return Ok(Opened::Url(url));
    }
    if let Origin::Http(url) = origin
        && !url
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Ok(Opened::Url(url.to_string().into()));
    }
    let Some(mut input) = open_within(origin, patience).await? else {
        return Ok(Opened::Nothing);
    };
    let start = within(patience, read_start(&mut input, looking)).await;
    match start.transpose()? {
        None => Ok(Opened::Nothing),
        Some((start, took)) if !start.is_empty() => Ok(Opened::Stream {
            start,
            took,
            input: Box::new(input),
        }),
        Some(_) if *origin == Origin::Stdin => Ok(Opened::Nothing),
        Some(_) => Err(io::Error::other("nothing comes of it")),
    }
}

async fn open_within(origin: &Origin, patience: Option<Duration>) -> io::Result<Option<Input>> {
    let begun = Instant::now();
    let mut is_said = false;
    loop {
        let left = patience.map(|patience| patience.saturating_sub(begun.elapsed()));
        match within(left, origin.open()).await {
            Some(Ok(input)) => return Ok(Some(input)),
            None => return Ok(None),
            Some(Err(error)) if !std::mem::replace(&mut is_said, true) => {
                tracing::warn!("an input cannot be opened, trying again: {error}");
            }
            Some(Err(_)) => {}
        }
        if patience.is_some_and(|patience| begun.elapsed() + AGAIN > patience) {
            return Ok(None);
        }
        sleep(AGAIN).await;
    }
}

/// The first bytes, and what comes in so much time behind them.
async fn read_start(input: &mut Input, looking: Duration) -> io::Result<(Bytes, Duration)> {
    let mut start = input.read().await?.to_vec();
    let began = Instant::now();
    let deadline = began + looking;
    while !start.is_empty() && start.len() < LOOKED_AT {
        match timeout_at(deadline, input.read()).await {
            Ok(Ok(more)) if !more.is_empty() => start.extend_from_slice(&more),
            // What is wrong shows again when it is read on.
            _ => break,
        }
    }
    Ok((start.into(), began.elapsed()))
}

impl Opened {
    /// None where we read it.
    pub(super) fn url(&self) -> Option<&OsStr> {
        match self {
            Opened::Url(url) => Some(url),
            Opened::Nothing | Opened::Stream { .. } => None,
        }
    }

    pub(super) fn sample(&self) -> Sample<'_> {
        match self {
            Opened::Url(url) => Sample::Url(url),
            Opened::Stream { start, took, .. } => Sample::Bytes(start.clone(), *took),
            Opened::Nothing => Sample::Bytes(Bytes::new(), Duration::ZERO),
        }
    }
}

impl Feed {
    pub(super) fn new(
        opened: Opened,
        stdin: Option<ChildStdin>,
        timeout: Option<Duration>,
    ) -> Feed {
        let stream = match (opened, stdin) {
            (Opened::Stream { start, input, .. }, Some(stdin)) => Some((start, input, stdin)),
            _ => None,
        };
        Feed {
            stream,
            timeout,
            end: None,
        }
    }

    /// Passes on what comes, until it or the program ends. It may be dropped with the program.
    pub(super) async fn run(&mut self) {
        let Some((mut block, mut input, mut stdin)) = self.stream.take() else {
            return;
        };
        while stdin.write_all(&block).await.is_ok() {
            let read = within(self.timeout, input.read()).await;
            let silent = || Err(io::Error::other("nothing comes (option `timeout`)"));
            block = match read.unwrap_or_else(silent) {
                Ok(block) if block.is_empty() => {
                    self.end = Some(input);
                    return;
                }
                Ok(block) => block,
                Err(error) => return tracing::warn!("an input has broken off: {error}"),
            };
        }
    }

    /// Whether nothing more will come of an input that has been made to its end.
    pub(super) fn is_whole(&self, origin: &Origin, has_end: bool) -> bool {
        match (origin, &self.end) {
            (Origin::Http(_), None) => has_end,
            (Origin::Http(_), Some(input)) => input.is_whole(),
            (Origin::Stdin, end) => end.is_some(),
            (Origin::File(_), None) => true,
            _ => false,
        }
    }
}
