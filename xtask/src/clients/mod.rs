//! `cargo xtask clients`: browsers play what encoders push, and it is measured how far behind the camera they are.
//!
//! The server, ffmpeg and Chromium are real ones. The page is that of option `player`; `tests/clients/watch.mjs` drives the
//! browser and reads the clock in the picture.

mod browser;
mod encoder;
mod report;
mod scenarios;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::browser::{Browser, Word};
use self::report::{HEAD, Report, SETTLING, Seen};
use self::scenarios::{ALL, Expected, Origin, Scenario};
use crate::bench::Certificate;
use crate::child::{self, Running};
use crate::httpout::Httpout;
use crate::{paths, players, process, tools, usage};

/// Where pictures and logs go, below the top.
const RESULTS: &str = "target/clients";

/// How long a player plays before the encoder is killed.
const BEFORE: Duration = Duration::from_secs(5);

/// How long it is watched after the encoder's new start.
const AFTER: Duration = Duration::from_secs(16);

struct Plan {
    scenarios: Vec<&'static Scenario>,
    /// How long each is measured.
    seconds: u32,
    /// A server to watch instead of building one.
    binary: Option<PathBuf>,
}

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let plan = parse(arguments)?;
    browser::prepare()?;
    tools::require("ffmpeg", "ffmpeg")?;
    let binary = match &plan.binary {
        Some(binary) => fs::canonicalize(binary)
            .with_context(|| format!("cannot find `{}`", binary.display()))?,
        None => build()?,
    };
    println!("{HEAD}");
    let mut failed = Vec::new();
    for scenario in &plan.scenarios {
        let report = watch(scenario, &binary, plan.seconds)
            .with_context(|| format!("scenario `{}`", scenario.name))?;
        println!("{}", report.line(scenario.name));
        if !report.faults.is_empty() {
            failed.push(scenario.name);
        }
    }
    println!("pictures and logs: {RESULTS}");
    ensure!(failed.is_empty(), "not as expected: {}", failed.join(", "));
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Plan, usage::Error> {
    let mut plan = Plan {
        scenarios: Vec::new(),
        seconds: 20,
        binary: None,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            let missing = || usage::Error::new(format!("`{word}` lacks a value"));
            words.next().ok_or_else(missing)
        };
        match word.as_str() {
            "--binary" => plan.binary = Some(value()?.into()),
            "--seconds" => {
                let text = value()?;
                plan.seconds = text.parse().map_err(|_| {
                    usage::Error::new(format!("`{text}` is not a number of seconds"))
                })?;
            }
            name => {
                let known = ALL.iter().find(|scenario| scenario.name == name);
                let names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
                plan.scenarios.push(known.ok_or_else(|| {
                    usage::Error::new(format!(
                        "unknown scenario `{name}`; there are {}",
                        names.join(", ")
                    ))
                })?);
            }
        }
    }
    if plan.scenarios.is_empty() {
        plan.scenarios = ALL.iter().collect();
    }
    Ok(plan)
}

/// The server as tests have it: what is measured are fifths of seconds.
fn build() -> Result<PathBuf> {
    players::fetch()?;
    let arguments = ["build", "--workspace", "--bin", "httpout"];
    process::run(&mut process::cargo("", arguments))?;
    paths::dev_binary()
}

fn watch(scenario: &Scenario, binary: &Path, seconds: u32) -> Result<Report> {
    let results = paths::root().join(RESULTS);
    fs::create_dir_all(&results)?;
    let log = |who: &str| results.join(format!("{}-{who}.log", scenario.name));
    let camera_port = free_port()?;
    let mut encoder = match scenario.origin {
        Origin::Input { .. } => Some(encoder::offer(camera_port, &log("ffmpeg"))?),
        Origin::Push => None,
    };
    let server = start(scenario, binary, camera_port, &log("httpout"))?;
    let address = server.address();
    // Encoders push without TLS, to the first port.
    let manifest = format!("http://{address}{}", pushed(scenario.path));
    let push = |name: &str| encoder::push(&manifest, &log(name));
    if scenario.origin == Origin::Push {
        encoder = Some(push("ffmpeg")?);
    }
    let base = match scenario.tls {
        true => format!("https://localhost:{}", server.next_address()?.port()),
        false => format!("http://{address}"),
    };
    let url = format!("{base}/_/player?src={}&{}", scenario.path, scenario.query);
    let length = match scenario.expected {
        Expected::Return { outage, .. } => BEFORE + outage + AFTER,
        _ => SETTLING + Duration::from_secs(seconds.into()),
    };
    let length = u32::try_from(length.as_secs()).unwrap_or(u32::MAX);
    let picture = results.join(scenario.name);
    let browser = Browser::open(&url, length, &picture, &log("browser"))?;
    let mut seen = Seen::default();
    while let Some(word) = browser.next()? {
        match word {
            Word::Sample(sample) => seen.samples.push(sample),
            Word::Error(text) => seen.errors.push((Instant::now(), text)),
        }
        if let Expected::Return { outage, .. } = scenario.expected {
            interrupt(&mut encoder, &mut seen, outage, || push("ffmpeg-again"))?;
        }
    }
    seen.write(&log("seen"))?;
    Ok(seen.report(&scenario.expected))
}

/// Kills the encoder once the player has its pace, and starts another after the outage.
fn interrupt(
    encoder: &mut Option<Running>,
    seen: &mut Seen,
    outage: Duration,
    push: impl Fn() -> Result<Running>,
) -> Result<()> {
    let Some(killing) = seen.began().map(|began| began + BEFORE) else {
        return Ok(());
    };
    if seen.restarted.is_none() && Instant::now() > killing {
        // Dropped is killed.
        *encoder = None;
    }
    if seen.restarted.is_none() && Instant::now() > killing + outage {
        seen.restarted = Some(Instant::now());
        *encoder = Some(push()?);
    }
    Ok(())
}

fn start(scenario: &Scenario, binary: &Path, camera_port: u16, log: &Path) -> Result<Httpout> {
    let mut command = child::tied(binary);
    command.args(["--ifce=127.0.0.1", "--player", "--maxp=0"]);
    match scenario.tls {
        true => {
            let certificate = Certificate::obtain()?;
            command.arg("--port=0,0");
            command.arg(format!("--cert={}", certificate.chain.display()));
            command.arg(format!("--pkey={}", certificate.key.display()));
        }
        false => drop(command.arg("--port=0")),
    }
    match scenario.origin {
        Origin::Push => drop(command.args(["--rdirs=gmem", "--wdir=gmem"])),
        Origin::Input { rdirs } => {
            let directory = match rdirs {
                "gmem" => PathBuf::from(rdirs),
                name => fresh_directory(name)?,
            };
            command
                .arg("-i")
                .arg(format!("tcp://127.0.0.1:{camera_port}/"))
                .args(["-o", &format!("http://localhost:8080{}", scenario.path)])
                .arg(format!("--rdirs={}", directory.display()))
                // The key frames of the camera are that far apart, so that its pictures are taken as they are.
                .args(["--dmode=dynamic", "--cdur=0.1", "--segdur=2"]);
        }
    }
    Httpout::start(command.stderr(child::log_file(log)?))
}

/// What is played as HLS is pushed as DASH.
fn pushed(path: &str) -> String {
    path.replace(".m3u8", ".mpd")
}

fn fresh_directory(name: &str) -> Result<PathBuf> {
    let directory = paths::root().join(RESULTS).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
