//! Media that must be made (documents: HTTP server file sink): ffmpeg as a child makes segments and a manifest of an input,
//! and pushes them to us, who write and serve them as what encoders upload. It is started again when it fails.

mod child;
mod command;
mod feed;
mod ingest;
mod names;
mod package;
mod plan;
mod probe;
mod tools;

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::error::StartupError;
use crate::metrics::Figures;
use crate::packager::child::Child;
use crate::packager::command::{Job, arguments};
use crate::packager::feed::{Feed, Opened, open};
use crate::packager::ingest::Ingest;
use crate::packager::plan::{Plan, can_be_played, plan};
use crate::packager::probe::{Sample, probe};
use crate::settings::{MediaKind, MediaSettings, ServerSettings, Settings, SourceSettings};

pub(crate) use names::split;
pub(crate) use package::Package;
pub(crate) use tools::Tools;

/// Between two attempts: each failure doubles it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// After so much work, a failure is the first one.
const GOOD_WORK: Duration = Duration::from_secs(60);

/// Attempts to make what is static of a file: what fails then fails for ever.
const ATTEMPTS: u32 = 3;

/// How much of a file is looked at for its key frames, in seconds, and the most of what comes live.
const LOOK: f64 = 10.0;
const LOOK_LIVE: f64 = 4.0;

/// Makes a presentation of an input.
pub(crate) struct Packager {
    package: Arc<Package>,
    source: SourceSettings,
    tools: Arc<Tools>,
    /// For the log: the manifest as clients ask for it.
    name: Arc<str>,
    /// Option `hold`.
    hold: bool,
    /// None where nobody asks for them.
    figures: Option<Arc<Figures>>,
    /// What has been found in a file at the start.
    plan: Option<Plan>,
}

/// How an attempt has ended.
enum Ended {
    /// All of the input is made.
    Whole,
    /// The input may come again.
    BrokenOff,
    Failed(String),
    /// The server stops.
    Stopped,
}

impl Packager {
    /// Looks into an input that is a file, so that what is wrong with it shows before anything is served.
    ///
    /// # Errors
    /// Nothing can be made of the file.
    pub(crate) async fn prepare(
        package: Arc<Package>,
        source: &SourceSettings,
        tools: Arc<Tools>,
        name: &str,
        hold: bool,
        figures: Option<Arc<Figures>>,
    ) -> Result<Packager, StartupError> {
        let mut packager = Packager {
            package,
            source: source.clone(),
            tools,
            name: name.into(),
            hold,
            figures,
            plan: None,
        };
        packager.plan = check(source, &packager.package.media, &packager.tools).await?;
        Ok(packager)
    }

    /// Makes it until the input is over or the sender of `stop` is gone.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<()>) {
        let (name, place) = (self.name.escape_debug(), &self.package.place);
        tracing::info!("`{name}` is written to {place}");
        let made = match Ingest::open(self.package.clone()).await {
            Ok(ingest) => {
                let working = async {
                    self.work(&ingest, &mut stop).await;
                    ingest.finish().await;
                };
                tokio::select! {
                    () = ingest.serve() => {}
                    () = working => {}
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        let name = self.name.escape_debug();
        match made {
            Ok(()) => tracing::info!("`{name}` is over"),
            Err(error) => tracing::error!("`{name}` cannot be made: {error}"),
        }
        self.package.end();
    }

    async fn work(&mut self, ingest: &Ingest, stop: &mut watch::Receiver<()>) {
        if self.hold {
            tokio::select! {
                () = self.package.client() => {}
                _ = stop.changed() => return,
            }
        }
        let mut pause = SHORTEST_PAUSE;
        let mut failures = 0;
        // The first time there is no hurry.
        let mut patience = None;
        loop {
            let began = Instant::now();
            let ended = self.attempt(ingest, patience, stop).await;
            patience = self.package.timeout;
            if began.elapsed() >= GOOD_WORK {
                (pause, failures) = (SHORTEST_PAUSE, 0);
            }
            let name = self.name.escape_debug();
            match ended {
                Ended::Whole | Ended::Stopped => return,
                Ended::BrokenOff => {
                    let input = self.source.name.escape_debug();
                    tracing::warn!("input `{input}` of `{name}` has ended, waiting for more");
                }
                Ended::Failed(reason) => {
                    failures += 1;
                    if let Some(figures) = &self.figures {
                        figures.count_failure();
                    }
                    let is_static = self.package.media.kind == MediaKind::Static;
                    if is_static && failures >= ATTEMPTS && self.source.origin.is_file() {
                        return tracing::error!("`{name}` is given up: {reason}");
                    }
                    let seconds = pause.as_secs_f64();
                    tracing::error!("`{name}` is made anew in {seconds} s: {reason}");
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = stop.changed() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Starts ffmpeg on the input, and waits for its end.
    async fn attempt(
        &mut self,
        ingest: &Ingest,
        patience: Option<Duration>,
        stop: &mut watch::Receiver<()>,
    ) -> Ended {
        let beginning = async {
            let looking = look_live(&self.package.media);
            let opened = open(&self.source.origin, patience, looking).await?;
            let plan = match self.plan.take() {
                Some(plan) => Ok(plan),
                None => look(&opened.sample(), &self.package.media, &self.tools).await,
            };
            Ok::<_, io::Error>((opened, plan))
        };
        let begun = tokio::select! {
            begun = beginning => begun,
            _ = stop.changed() => return Ended::Stopped,
        };
        let (opened, plan) = match begun {
            Ok((Opened::Nothing, _)) => return Ended::Whole,
            Ok((opened, Ok(plan))) => (opened, plan),
            Ok((_, Err(reason))) => {
                let input = self.source.name.escape_debug();
                return Ended::Failed(format!("input `{input}`: {reason}"));
            }
            Err(error) => {
                let input = self.source.name.escape_debug();
                return Ended::Failed(format!("input `{input}` cannot be opened: {error}"));
            }
        };
        match self.make(ingest, opened, plan, stop).await {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(error.to_string()),
        }
    }

    async fn make(
        &self,
        ingest: &Ingest,
        opened: Opened,
        plan: Plan,
        stop: &mut watch::Receiver<()>,
    ) -> io::Result<Ended> {
        let line = self.arguments(ingest, &opened, &plan)?;
        let is_fed = opened.url().is_none();
        let (mut child, stdin) = Child::start(line, is_fed, self.name.clone())?;
        let (name, id) = (self.name.escape_debug(), child.id());
        let pace = match (plan.skipped, plan.needs_pace && !self.source.is_paced) {
            (Some(skipped), _) => {
                format!(", from {:.1} s on because it comes live", skipped.over)
            }
            (None, true) => ", read at its own pace because it is dynamic".to_owned(),
            (None, false) => String::new(),
        };
        tracing::info!(
            "`{name}` is made by ffmpeg, process {id}: {}{pace}",
            plan.describe()
        );
        let mut feed = Feed::new(opened, stdin, self.package.timeout);
        let feeding = async {
            feed.run().await;
            std::future::pending().await
        };
        let exited = tokio::select! {
            exited = child.wait() => exited?,
            () = feeding => return Ok(Ended::Stopped),
            _ = stop.changed() => {
                child.end().await;
                return Ok(Ended::Stopped);
            }
        };
        let last_words = child.last_words().await;
        if !exited.success() {
            let last_words = last_words.unwrap_or_else(|| exited.to_string());
            return Ok(Ended::Failed(format!("ffmpeg has failed: {last_words}")));
        }
        let is_whole = feed.is_whole(&self.source.origin, plan.has_end);
        Ok(match is_whole {
            true => Ended::Whole,
            false => Ended::BrokenOff,
        })
    }

    fn arguments(
        &self,
        ingest: &Ingest,
        opened: &Opened,
        plan: &Plan,
    ) -> io::Result<Vec<OsString>> {
        let package = &self.package;
        Ok(arguments(&Job {
            url: opened.url(),
            is_paced: self.source.is_paced,
            repeats: self.source.repeats,
            plan,
            media: &package.media,
            window: package.window(plan.segment),
            names: &package.names,
            port: ingest.port()?,
            manifest: &package.manifest,
            preset: &ingest.preset(),
        }))
    }
}

/// Looks into an input that is a file: what is to be made of it. Others are looked into once they come.
///
/// # Errors
/// Nothing can be made of it.
async fn check(
    source: &SourceSettings,
    media: &MediaSettings,
    tools: &Tools,
) -> Result<Option<Plan>, StartupError> {
    let Some(url) = feed::file_url(&source.origin) else {
        return Ok(None);
    };
    let plan = look(&Sample::Url(&url), media, tools).await;
    plan.map(Some).map_err(|reason| StartupError::Input {
        input: source.name.clone(),
        reason: format!("DASH and HLS cannot be made of it: {reason}"),
    })
}

/// Whether what the servers are to make can be made, as far as that shows without beginning it.
///
/// # Errors
/// What is missing, or an input that nothing can be made of.
pub(crate) async fn check_all(settings: &Settings) -> Result<(), StartupError> {
    let Some(tools) = Tools::of(settings).await? else {
        return Ok(());
    };
    for package in settings.servers.iter().flat_map(ServerSettings::packages) {
        check(&settings.sources[package.source], package.media, &tools).await?;
    }
    Ok(())
}

/// Decides what is made of an input.
async fn look(sample: &Sample<'_>, media: &MediaSettings, tools: &Tools) -> Result<Plan, String> {
    let of_file = LOOK.max(2.0 * media.segment + 1.0);
    let of_live = look_live(media).as_secs_f64();
    let facts = probe(sample, of_file, of_live, can_be_played).await;
    let facts = facts.map_err(|error| error.to_string())?;
    plan(&facts, media, tools)
}

/// How long what comes live is looked at.
fn look_live(media: &MediaSettings) -> Duration {
    let seconds = 2.0 * media.segment + 0.5;
    Duration::from_secs_f64(seconds.min(LOOK_LIVE))
}
