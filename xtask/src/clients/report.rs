//! What was seen, as figures and as a verdict.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::browser::Sample;
use super::scenarios::Expected;

/// How long a player may take from its first picture to its pace.
pub(super) const SETTLING: Duration = Duration::from_secs(6);

/// The last part of what is seen after a return.
const LAST: Duration = Duration::from_secs(4);

/// A picture so old, in seconds, is of the time before.
const OLD: f64 = 6.0;

/// What a browser has shown.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) samples: Vec<Sample>,
    pub(super) errors: Vec<(Instant, String)>,
    /// When the encoder was started again.
    pub(super) restarted: Option<Instant>,
}

/// A line of the table.
pub(super) struct Report {
    latency: Option<Spread>,
    camera: Option<Spread>,
    target: Option<f64>,
    back: Option<Duration>,
    errors: usize,
    stalls: u64,
    dropped: u64,
    frames: u64,
    refused: u64,
    /// What was not as expected.
    pub(super) faults: Vec<String>,
}

#[derive(Clone, Copy)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

pub(super) const HEAD: &str = "\
scenario             latency s: median  least..most  camera s  target  back s  errors  stalls  dropped/frames";

impl Seen {
    pub(super) fn began(&self) -> Option<Instant> {
        let first = self.samples.iter().find(|sample| sample.is_playing);
        first.map(|sample| sample.at)
    }

    /// All of it, for who wants to know more than the table has.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let mut text = String::new();
        for sample in &self.samples {
            let at = self.samples.first().map(|first| sample.at - first.at);
            writeln!(text, "{:.2?} {sample:?}", at.unwrap_or_default())?;
        }
        for (at, error) in &self.errors {
            let at = self
                .samples
                .first()
                .map(|first| at.duration_since(first.at));
            writeln!(text, "{:.2?} {error}", at.unwrap_or_default())?;
        }
        Ok(fs::write(file, text)?)
    }

    pub(super) fn report(&self, expected: &Expected) -> Report {
        let settled = match expected {
            Expected::Return { .. } => self.samples.last().map(|last| last.at - LAST),
            _ => self.began().map(|at| at + SETTLING),
        };
        let counted: Vec<&Sample> = self
            .samples
            .iter()
            .filter(|sample| settled.is_some_and(|settled| sample.at >= settled))
            .collect();
        let last = self.samples.last();
        let before = counted.first().map_or(0, |sample| sample.stalls);
        let mut report = Report {
            latency: Spread::of(counted.iter().filter_map(|sample| sample.latency)),
            camera: Spread::of(counted.iter().filter_map(|sample| sample.camera)),
            target: counted.iter().find_map(|sample| sample.target),
            back: self.back(),
            errors: self.errors.len(),
            stalls: last.map_or(0, |last| last.stalls - before),
            dropped: last.map_or(0, |last| last.dropped),
            frames: last.map_or(0, |last| last.frames),
            refused: last.map_or(0, |last| last.refused),
            faults: Vec::new(),
        };
        report.judge(expected);
        report
    }

    /// How long after the encoder's new start its picture is on the screen.
    fn back(&self) -> Option<Duration> {
        let restarted = self.restarted?;
        let is_new = |sample: &&Sample| {
            sample.at > restarted && sample.is_playing && sample.camera.is_some_and(|age| age < OLD)
        };
        let first = self.samples.iter().find(is_new)?;
        Some(first.at - restarted)
    }
}

impl Report {
    fn judge(&mut self, expected: &Expected) {
        let Some(latency) = self.latency else {
            self.faults.push("it does not play".to_owned());
            return;
        };
        let target = self.target.unwrap_or(f64::NAN);
        let farthest = (latency.most - target).max(target - latency.least);
        let fault = match *expected {
            Expected::Target { within } if farthest.is_nan() || farthest > within => {
                Some(format!("{farthest:.2} s from its target, not {within}"))
            }
            Expected::Below { limit } if latency.most >= limit => {
                Some(format!("{:.2} s behind, not {limit}", latency.most))
            }
            Expected::Return { within, limit, .. } => match self.back {
                None => Some("it does not come back".to_owned()),
                Some(back) if back > within => Some(format!("back after {back:.1?}")),
                Some(_) if latency.most > limit => Some(format!(
                    "{:.2} s behind when it has come back, not {limit}",
                    latency.most
                )),
                Some(_) => None,
            },
            _ => None,
        };
        self.faults.extend(fault);
        if self.refused > 0 {
            self.faults.push(format!("{} answers 503", self.refused));
        }
        if matches!(expected, Expected::Return { .. }) {
            return;
        }
        if self.errors > 0 {
            self.faults.push(format!("{} errors", self.errors));
        }
        if self.stalls > 0 {
            self.faults.push(format!("{} stalls", self.stalls));
        }
    }

    pub(super) fn line(&self, name: &str) -> String {
        let number =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        let range = self.latency.map_or("-".to_owned(), |spread| {
            format!("{:.2}..{:.2}", spread.least, spread.most)
        });
        let line = format!(
            "{name:<20} {:>17}  {range:>11}  {:>8}  {:>6}  {:>6}  {:>6}  {:>6}  {:>14}",
            number(self.latency.map(|spread| spread.median)),
            number(self.camera.map(|spread| spread.median)),
            number(self.target),
            number(self.back.map(|back| back.as_secs_f64())),
            self.errors,
            self.stalls,
            format!("{}/{}", self.dropped, self.frames),
        );
        match self.faults.is_empty() {
            true => line,
            false => format!("{line}  FAILED: {}", self.faults.join(", ")),
        }
    }
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Some(Spread {
            median: *values.get(values.len() / 2)?,
            least: *values.first()?,
            most: *values.last()?,
        })
    }
}
