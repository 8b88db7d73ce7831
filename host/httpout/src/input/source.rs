//! From an input to the live streams that it feeds: as it comes, or by its own timestamps.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::error::StartupError;
use crate::input::{BLOCK, FileTarget, Input, Origin, process};
use crate::pace::{self, Framer};
use crate::resource::{Availability, Live, Patience};
use crate::settings::SourceSettings;
use crate::within::within;

/// Between two attempts to open an input that has broken off.
const AGAIN: Duration = Duration::from_millis(500);

/// Bytes with which most formats can be told, and how long they are waited for.
const ENOUGH: usize = 4 << 10;
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// An input that is later than this does not catch up.
const LATE: Duration = Duration::from_secs(1);

/// A live stream that an input feeds, and for whom it waits.
pub(crate) struct Target {
    pub(crate) live: Arc<Live>,
    /// Option `hold`.
    pub(crate) hold: bool,
    /// Option `reopen`.
    pub(crate) reopen: bool,
    /// Option `blockio`.
    pub(crate) blockio: bool,
    pub(crate) extension: Option<String>,
}

/// An input, and where it goes.
pub(crate) struct Source {
    settings: SourceSettings,
    targets: Vec<Target>,
    files: Vec<FileTarget>,
    /// How long clients stay where the input has broken off; none is for ever.
    gap: Option<Duration>,
    opened: Option<Opened>,
    clock: Clock,
    is_held: bool,
    /// Bytes that have been sent, to anybody or nobody.
    sent: AtomicU64,
}

/// An input that is being read, and what has been read of it to look into.
struct Opened {
    input: Input,
    start: Bytes,
}

/// How an input has ended.
enum Ended {
    /// There is no more.
    Whole,
    /// It may come again.
    BrokenOff,
}

/// When what has a time is to be sent.
#[derive(Default)]
struct Clock {
    began: Option<Instant>,
    /// Of the files before this one.
    base: Duration,
}

impl Source {
    /// Opens an input that is a file, so that what is wrong with it shows before anything is served. Others are opened
    /// once it runs.
    pub(crate) async fn open(
        settings: &SourceSettings,
        targets: Vec<Target>,
        files: Vec<FileTarget>,
        gap: Option<Duration>,
    ) -> Result<Source, StartupError> {
        let refused = |error: io::Error| StartupError::Input {
            input: settings.name.clone(),
            reason: format!("cannot be read: {error}"),
        };
        let mut source = Source {
            settings: settings.clone(),
            targets,
            files,
            gap,
            opened: None,
            clock: Clock::default(),
            is_held: true,
            sent: AtomicU64::new(0),
        };
        if let Origin::File(path) = &settings.origin {
            let found = std::fs::metadata(path).map_err(refused)?;
            if found.is_file() || found.is_dir() {
                let opened = source.begin().await.map_err(refused)?;
                source.opened = Some(opened);
            }
        }
        Ok(source)
    }

    /// Sends what comes, until there is no more.
    pub(crate) async fn run(mut self) {
        // The first time there is no hurry.
        if self.opened.is_none() {
            self.opened = self.begin_within(None).await;
        }
        loop {
            let opened = match self.opened.take() {
                Some(opened) => Some(opened),
                None => self.begin_within(self.gap).await,
            };
            let Some(opened) = opened else {
                if !self.targets.iter().any(|target| target.reopen) {
                    break;
                }
                self.end(Availability::Between).await;
                self.opened = self.begin_within(None).await;
                continue;
            };
            let name = self.settings.name.escape_debug().to_string();
            let has_end = opened.input.has_end() && !self.settings.repeats;
            for file in &self.files {
                file.opened(!has_end).await;
            }
            // What fails here fails again.
            let is_here = opened.input.is_here();
            let sent = self.sent.load(Relaxed);
            match self.play(opened).await {
                Ok(Ended::Whole) if self.settings.repeats => self.pause(sent).await,
                Ok(Ended::Whole) => break,
                Ok(Ended::BrokenOff) => {
                    tracing::warn!("input `{name}` has ended, waiting for more");
                    // A FIFO waits for its next writer by itself.
                    if !matches!(self.settings.origin, Origin::File(_)) {
                        sleep(AGAIN).await;
                    }
                }
                Err(error) => {
                    tracing::warn!("input `{name}` has broken off: {error}");
                    for file in self.files.iter().filter(|_| has_end) {
                        file.fail().await;
                    }
                    if is_here {
                        break;
                    }
                    sleep(AGAIN).await;
                }
            }
        }
        tracing::info!("input `{}` is over", self.settings.name.escape_debug());
        self.end(Availability::Over).await;
    }

    /// Before an input begins again: where nothing holds it up, that would take all of a core.
    async fn pause(&self, sent_before: u64) {
        if self.sent.load(Relaxed) == sent_before {
            sleep(AGAIN).await;
        } else if !self.settings.is_paced {
            self.client().await;
        }
    }

    /// Waits until one of the streams has a client.
    async fn client(&self) {
        let mut waiting = JoinSet::new();
        for target in &self.targets {
            let live = target.live.clone();
            waiting.spawn(async move { live.client().await });
        }
        waiting.join_next().await;
    }

    async fn end(&self, availability: Availability) {
        for target in &self.targets {
            target.live.end(availability);
        }
        for file in &self.files {
            file.end().await;
        }
    }

    /// Opens the input as soon as it can be, within that time; none is for ever.
    async fn begin_within(&self, limit: Option<Duration>) -> Option<Opened> {
        let begun = Instant::now();
        let mut is_said = false;
        loop {
            let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            let opening = self.begin();
            let opened = match left {
                Some(left) => timeout(left, opening).await.ok()?,
                None => opening.await,
            };
            match opened {
                Ok(opened) => return Some(opened),
                Err(error) if !std::mem::replace(&mut is_said, true) => {
                    let name = self.settings.name.escape_debug();
                    tracing::warn!("input `{name}` cannot be opened: {error}");
                }
                Err(_) => {}
            }
            if limit.is_some_and(|limit| begun.elapsed() + AGAIN > limit) {
                return None;
            }
            sleep(AGAIN).await;
        }
    }

    /// Opens the input, reads its beginning, and tells what it shows.
    async fn begin(&self) -> io::Result<Opened> {
        let mut input = self.settings.origin.open().await?;
        let mut start = read_start(&mut input).await?;
        for target in &self.targets {
            target.live.set_facts(pace::facts(&start));
            target.live.set_title(pace::title(&start));
        }
        self.tell_title(input.take_title());
        if self.settings.is_paced && !start.is_empty() && Framer::new(&start).is_none() {
            let streams = self.targets.iter().map(|target| &target.extension);
            let mut extensions = streams.chain(self.files.iter().map(|file| &file.extension));
            let extension = extensions.find_map(|extension| extension.as_deref());
            input = process::start(&self.settings.origin, input, start, extension)?;
            start = Bytes::new();
        }
        Ok(Opened { input, start })
    }

    /// Sends all of an input.
    async fn play(&mut self, mut opened: Opened) -> io::Result<Ended> {
        if std::mem::replace(&mut self.is_held, false) {
            for target in self.targets.iter().filter(|target| target.hold) {
                target.live.client().await;
            }
            for file in &mut self.files {
                file.client().await;
            }
        }
        if opened.start.is_empty() && matches!(opened.input, Input::Process(_)) {
            opened.start = read_start(&mut opened.input).await?;
        }
        match self.settings.is_paced {
            true => self.play_paced(&mut opened).await?,
            false => self.play_as_it_comes(&mut opened).await?,
        }
        opened.input.finish().await?;
        let is_whole = match &opened.input {
            _ if self.settings.origin == Origin::Stdin => true,
            input => input.is_whole(),
        };
        Ok(match is_whole {
            true => Ended::Whole,
            false => Ended::BrokenOff,
        })
    }

    async fn play_as_it_comes(&self, opened: &mut Opened) -> io::Result<()> {
        let can_wait = opened.input.can_wait();
        let mut block = std::mem::take(&mut opened.start);
        if block.is_empty() {
            block = self.read(opened).await?;
        }
        while !block.is_empty() {
            while !block.is_empty() {
                let piece = block.split_to(block.len().min(BLOCK));
                self.send(&piece, can_wait).await;
            }
            block = self.read(opened).await?;
        }
        Ok(())
    }

    async fn play_paced(&mut self, opened: &mut Opened) -> io::Result<()> {
        let Some(mut framer) = Framer::new(&opened.start) else {
            return match opened.start.is_empty() {
                true => Ok(()),
                false => Err(io::Error::other("its timestamps cannot be read")),
            };
        };
        let mut due = BytesMut::new();
        let mut block = std::mem::take(&mut opened.start);
        let is_first = self.clock.base.is_zero();
        loop {
            match block.is_empty() {
                true => framer.finish(),
                false => framer.push(&block),
            }
            while let Some(unit) = framer.next() {
                self.set_head(&mut framer, is_first, &mut due).await;
                let time = self.clock.time(unit.at);
                if time > Instant::now() {
                    self.send(&due.split().freeze(), false).await;
                    sleep_until(time).await;
                }
                due.extend_from_slice(&unit.bytes);
                if due.len() >= BLOCK {
                    self.send(&due.split().freeze(), false).await;
                }
            }
            self.send(&due.split().freeze(), false).await;
            let is_without_end = self.settings.repeats || !block.is_empty();
            if is_without_end && framer.stands_still() && opened.input.is_here() {
                let reason = "there are no timestamps in it that could pace it";
                return Err(io::Error::other(reason));
            }
            if block.is_empty() {
                break;
            }
            block = self.read(opened).await?;
        }
        self.clock.base += framer.end();
        // The last unit lasts too: whoever waits for the next file waits for its end.
        Ok(())
    }

    /// Once it is known, every client gets it first; those that are there already get it once more where a file follows
    /// another.
    async fn set_head(&self, framer: &mut Framer, is_first: bool, due: &mut BytesMut) {
        let Some(head) = framer.take_head() else {
            return;
        };
        for target in &self.targets {
            target.live.set_beginning(head.clone());
        }
        for file in &self.files {
            file.set_beginning(head.clone()).await;
        }
        if !is_first && framer.repeats_head() {
            due.extend_from_slice(&head);
        }
    }

    /// The next bytes, unless they are too long in coming.
    async fn read(&self, opened: &mut Opened) -> io::Result<Bytes> {
        let block = within(self.gap, opened.input.read()).await;
        if let Some(title) = opened.input.take_title() {
            self.tell_title(Some(title));
        }
        block.unwrap_or_else(|| Err(io::Error::other("nothing comes (option `timeout`)")))
    }

    /// What the input plays, as it says; a property of the line knows better.
    fn tell_title(&self, told: Option<String>) {
        let title = self.settings.title.clone().or(told);
        let Some(title) = title.map(Arc::<str>::from) else {
            return;
        };
        for target in &self.targets {
            target.live.set_title(Some(title.clone()));
        }
    }

    async fn send(&self, piece: &Bytes, can_wait: bool) {
        let streams = self.targets.iter().map(|target| {
            let patience = match (target.blockio, can_wait) {
                (true, _) => Patience::All,
                (false, true) => Patience::Fastest,
                (false, false) => Patience::Nobody,
            };
            (&*target.live, patience)
        });
        let streams: Vec<_> = streams.collect();
        Live::room(&streams).await;
        for (live, patience) in streams {
            live.send(piece.clone(), patience);
        }
        for file in self.files.iter().filter(|_| !piece.is_empty()) {
            file.send(piece.clone()).await;
        }
        self.sent.fetch_add(piece.len() as u64, Relaxed);
        // Those that were woken have their turn before there is more.
        tokio::task::yield_now().await;
    }
}

/// Enough to look into, or what comes in time.
async fn read_start(input: &mut Input) -> io::Result<Bytes> {
    let mut start = input.read().await?;
    let deadline = Instant::now() + LONG_ENOUGH;
    while !start.is_empty() && start.len() < ENOUGH {
        match timeout_at(deadline, input.read()).await {
            Ok(Ok(more)) if !more.is_empty() => start = [start, more].concat().into(),
            _ => break,
        }
    }
    Ok(start)
}

impl Clock {
    /// When what has this time in its file is to be sent.
    fn time(&mut self, at: Duration) -> Instant {
        let now = Instant::now();
        let at = self.base + at;
        let began = self.began.get_or_insert(now);
        let time = *began + at;
        if now > time + LATE {
            *began += now - time;
            return now;
        }
        time
    }
}
