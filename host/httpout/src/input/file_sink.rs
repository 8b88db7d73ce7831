//! The file that an input is written to (documents: httpout, HTTP server file sink).
//!
//! Each has a task of its own, which its source tells what comes: a source that is stopped in the midst of whatever it
//! does leaves a file that can be finished.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;

use crate::body::Blocks;
use crate::error::Reject;
use crate::reqlog::Reqlog;
use crate::resource::{Intake, Reading, Retention, Store, Version, blocking};

/// The most pieces that a source is ahead of the disk. Then it waits.
const AHEAD: usize = 16;

/// A name that an input is written to, again and again where it begins anew.
pub(crate) struct FileSink {
    pub(crate) store: Arc<Store>,
    /// What goes when segments come.
    pub(crate) retention: Arc<Retention>,
    /// Below the directory.
    pub(crate) path: Vec<u8>,
    /// As clients ask for it.
    pub(crate) name: Vec<u8>,
    pub(crate) reading: Reading,
    /// Option `reqlog=REC`.
    pub(crate) log: Reqlog,
    /// That nothing more will come.
    pub(crate) over: watch::Sender<bool>,
}

/// Where a source puts what comes.
pub(crate) struct FileTarget {
    events: mpsc::Sender<Event>,
    /// The version that waits for its first reader (option `hold`).
    held: Option<Arc<Version>>,
    pub(crate) extension: Option<String>,
}

/// Writes what the source gives.
pub(crate) struct FileWriter {
    sink: Arc<FileSink>,
    events: mpsc::Receiver<Event>,
    file: File,
    /// The source goes on until it is stopped: what has come by then is whole.
    is_endless: bool,
    beginning: Bytes,
    blocks: Blocks,
}

/// What a source has to tell.
enum Event {
    /// An input has been opened. What is endless has no end that could be missing.
    Opened {
        is_endless: bool,
    },
    /// What every file begins with.
    Beginning(Bytes),
    Piece(Bytes),
    /// The input is over, or its next file is another one.
    End,
    /// Something is missing, and will not come.
    Failed,
}

enum File {
    /// None is open, and the next bytes begin one.
    Closed,
    Open(Box<Intake>),
    /// It cannot be written: what comes up to its end is lost.
    GivenUp,
}

impl FileSink {
    /// Begins the file: from now on it can be followed. May block.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn open(
        self: &Arc<Self>,
        hold: bool,
        extension: Option<String>,
    ) -> Result<(FileTarget, FileWriter), Reject> {
        let (version, intake) = self.begin()?;
        let (sender, events) = mpsc::channel(AHEAD);
        let target = FileTarget {
            events: sender,
            held: hold.then_some(version),
            extension,
        };
        let writer = FileWriter {
            sink: self.clone(),
            events,
            file: File::Open(Box::new(intake)),
            is_endless: true,
            beginning: Bytes::new(),
            blocks: Blocks::default(),
        };
        Ok((target, writer))
    }

    fn begin(&self) -> Result<(Arc<Version>, Intake), Reject> {
        let whatever = Arc::new(|_: Option<&_>| Ok(()));
        let begun = self.store.begin();
        let upload = self
            .store
            .upload(&self.path, begun, self.reading, whatever)?;
        self.log.record("Opening", &self.name);
        Ok((upload.version.clone(), Intake::new(upload)))
    }

    /// Waits until nothing more will come.
    pub(crate) async fn over(&self) {
        // There is always a sender: this value.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

impl FileTarget {
    /// Waits until somebody reads the file (option `hold`).
    pub(super) async fn client(&mut self) {
        if let Some(version) = self.held.take() {
            version.asked_for().await;
        }
    }

    pub(super) async fn opened(&self, is_endless: bool) {
        self.tell(Event::Opened { is_endless }).await;
    }

    /// Without it, players cannot read what follows.
    pub(super) async fn set_beginning(&self, beginning: Bytes) {
        self.tell(Event::Beginning(beginning)).await;
    }

    pub(super) async fn send(&self, piece: Bytes) {
        self.tell(Event::Piece(piece)).await;
    }

    pub(super) async fn end(&self) {
        self.tell(Event::End).await;
    }

    pub(super) async fn fail(&self) {
        self.tell(Event::Failed).await;
    }

    async fn tell(&self, event: Event) {
        // The writer ends after its source only, unless the process ends.
        let _ = self.events.send(event).await;
    }
}

impl FileWriter {
    /// Writes until the source is over or has been stopped, and finishes the file.
    pub(crate) async fn run(mut self) {
        while let Some(event) = self.events.recv().await {
            match event {
                Event::Opened { is_endless } => self.is_endless = is_endless,
                Event::Beginning(beginning) => self.beginning = beginning,
                Event::Piece(piece) => self.write(piece).await,
                Event::End => self.finish().await,
                Event::Failed => self.give_up("its input has failed").await,
            }
        }
        match self.is_endless {
            true => self.finish().await,
            false => {
                self.give_up("the server stops before its input has ended")
                    .await;
            }
        }
        self.sink.over.send_replace(true);
    }

    async fn write(&mut self, piece: Bytes) {
        if matches!(self.file, File::Closed) {
            let sink = self.sink.clone();
            self.file = match blocking(move || sink.begin()).await {
                Ok((_, intake)) => File::Open(Box::new(intake)),
                Err(reject) => self.say_lost(&reject, 0),
            };
        }
        let File::Open(intake) = &mut self.file else {
            return;
        };
        let mut pushed = Ok(());
        if intake.length() == 0 && !piece.starts_with(&self.beginning) {
            pushed = intake.push(self.beginning.clone()).await;
        }
        if pushed.is_ok() {
            pushed = intake.push(self.blocks.keep(piece)).await;
        }
        if let Err(reject) = pushed {
            let length = intake.length();
            let failed = std::mem::replace(&mut self.file, File::GivenUp);
            self.drop_file(failed).await;
            self.say_lost(&reject, length);
        }
    }

    /// The file gets its name, unless there is nothing in it.
    async fn finish(&mut self) {
        let File::Open(mut intake) = std::mem::replace(&mut self.file, File::Closed) else {
            return;
        };
        let length = intake.length();
        let name = self.sink.name.escape_ascii().to_string();
        if length == 0 {
            self.drop_file(File::Open(intake)).await;
            return tracing::info!("`{name}` stays as it was: nothing has come for it");
        }
        let flushed = intake.flush().await;
        let sink = self.sink.clone();
        // Also where it is given up: to remove a large file takes its time.
        let stored = blocking(move || {
            let stored = flushed.and_then(|()| intake.publish())?;
            if let Some(identity) = &stored.identity {
                sink.retention.note(&sink.path, identity);
            }
            Ok(stored)
        });
        match stored.await {
            Ok(stored) => {
                self.sink.log.record("Closing", &self.sink.name);
                if stored.identity.is_none() {
                    tracing::warn!(
                        "`{name}` is not kept: it has been deleted, or written anew, meanwhile"
                    );
                }
            }
            Err(reject) => {
                self.sink.log.record("Aborting", &self.sink.name);
                self.say_lost(&reject, length);
            }
        }
    }

    async fn give_up(&mut self, reason: &str) {
        let file = std::mem::replace(&mut self.file, File::Closed);
        let File::Open(intake) = &file else {
            return;
        };
        let length = intake.length();
        self.drop_file(file).await;
        let name = self.sink.name.escape_ascii();
        tracing::warn!(
            "`{name}` is not kept: {reason}; {length} bytes had come, and readers were cut"
        );
    }

    async fn drop_file(&self, file: File) {
        if let File::Open(intake) = file {
            // To remove a large file takes its time.
            let _ = spawn_blocking(move || drop(intake)).await;
            self.sink.log.record("Aborting", &self.sink.name);
        }
    }

    /// Says that the server cannot write what comes, loudly: nobody else will.
    fn say_lost(&self, reject: &Reject, length: u64) -> File {
        let name = self.sink.name.escape_ascii();
        let reason = describe(reject);
        tracing::error!(
            "`{name}` cannot be written: {reason}; {length} bytes had come, readers were cut, and what comes up to the \
             end of the input is lost"
        );
        File::GivenUp
    }
}

/// Why a file cannot be written, and what would mend it.
pub(crate) fn describe(reject: &Reject) -> String {
    match reject {
        Reject::StorageFull => format!("{reject}: the disk of option `rdirs` is full"),
        Reject::MemoryFull { .. } => format!("{reject}: option `gmem_max` sets the limit"),
        Reject::Unwritable => {
            format!("{reject}: the user that it runs as needs the right to (option `rdirs`)")
        }
        Reject::Write(error) => error.to_string(),
        other => other.to_string(),
    }
}
