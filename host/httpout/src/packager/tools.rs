//! The programs that media are made by.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::error::StartupError;
use crate::settings::Settings;

/// How long a program may take to say what it can.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the ffmpeg of this machine can.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tools {
    encoders: Vec<String>,
}

impl Tools {
    /// Those by which a line makes media; none where it makes none.
    ///
    /// # Errors
    /// One of them is missing or of no use.
    pub(crate) async fn of(settings: &Settings) -> Result<Option<Arc<Tools>>, StartupError> {
        let outputs = settings.servers.iter().flat_map(|server| &server.outputs);
        let Some(output) = outputs.into_iter().find(|output| output.media.is_some()) else {
            return Ok(None);
        };
        let tools = Tools::find().await.map_err(|reason| StartupError::Output {
            output: String::from_utf8_lossy(&output.path).into_owned(),
            reason,
        })?;
        Ok(Some(Arc::new(tools)))
    }

    /// Asks both programs.
    ///
    /// # Errors
    /// One of them is missing or of no use; what would do.
    async fn find() -> Result<Tools, String> {
        let muxers = run("ffmpeg", "-muxers").await?;
        if !names(&muxers).any(|name| name == "dash") {
            return Err(
                "the `ffmpeg` that is installed has no muxer for DASH: install one that has"
                    .to_owned(),
            );
        }
        run("ffprobe", "-version").await?;
        let encoders = run("ffmpeg", "-encoders").await?;
        Ok(Tools {
            encoders: names(&encoders).map(str::to_owned).collect(),
        })
    }

    /// Whether it can encode like this.
    pub(super) fn can_encode(&self, encoder: &str) -> bool {
        self.encoders.iter().any(|known| known == encoder)
    }
}

/// The second word of each line, behind what a muxer or encoder can.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split_whitespace().nth(1))
}

async fn run(program: &str, argument: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    command
        .args(["-hide_banner", argument])
        .stdin(Stdio::null());
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    match output {
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => Err(format!(
            "`{program} {argument}` has failed: {}",
            output.status
        )),
        Ok(Err(error)) => Err(reason(program, &error)),
        Err(_) => Err(format!("`{program} {argument}` comes to no end")),
    }
}

/// Why a program that was there at the start cannot be started.
pub(super) fn missing(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), reason("ffmpeg", &error))
}

fn reason(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!(
            "the program `{program}`, by which it is made, is missing: install ffmpeg (Debian: `apt-get install ffmpeg`)"
        ),
        _ => format!("the program `{program}`, by which it is made, cannot be started: {error}"),
    }
}
