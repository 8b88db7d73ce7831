//! The options of media that must be made (`dmode`, `cdur`, `segdur`, `tsb`, `profile`, `template`), with GPAC's meanings.

use httpout_options::{Argument, CommandLine, MEDIA_OPTIONS};

use crate::error::StartupError;
use crate::settings::links;
use crate::settings::refuse;

/// How an input becomes DASH and HLS. Durations are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediaSettings {
    pub(crate) kind: Kind,
    pub(crate) segment: f64,
    /// The longest segment where key frames of the input want longer ones, so that it can be copied.
    pub(crate) longest_segment: f64,
    /// Of a fragment; none where a segment is one.
    pub(crate) chunk: Option<f64>,
    /// What players can go back to.
    pub(crate) buffer: Buffer,
    pub(crate) names: SegmentNames,
}

/// Option `dmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Static,
    Dynamic,
}

/// Option `tsb`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Buffer {
    /// GPAC's default, or less where less is kept.
    Default,
    Seconds(f64),
    /// All of it.
    Unlimited,
}

/// What the files of a quality are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentNames {
    /// After the manifest, with number and quality.
    Default,
    /// Option `template`, without an extension.
    Template(String),
    /// All of it is one file (profile `onDemand`).
    Single,
}

/// GPAC's default of `segdur`.
const SEGMENT: f64 = 1.0;

/// The longest segment that nobody has asked for: players begin at the begin of one, with low latency in one that grows.
const LONGEST: f64 = 10.0;
const LONGEST_LIVE: f64 = 4.0;

/// The shortest and the longest segment that is made.
const SEGMENTS: [f64; 2] = [0.2, 600.0];

/// The shortest fragment: that of one picture is.
const SHORTEST_CHUNK: f64 = 0.01;

/// GPAC's default of `tsb`.
pub(crate) const BUFFER: f64 = 30.0;

/// The names of these options.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MEDIA_OPTIONS.iter().map(|option| option.name)
}

/// Flags are for media that are made: where none are, they would be without effect.
pub(super) fn check_use(line: &CommandLine, is_made: bool) -> Result<(), StartupError> {
    let given = line.media.first().filter(|_| !is_made);
    let row = given.and_then(|(name, _)| names().find(|known| known == name));
    match row {
        Some(option) => Err(without_effect(option)),
        None => Ok(()),
    }
}

/// It is given where nothing is made.
pub(super) fn without_effect(option: &'static str) -> StartupError {
    let reason = "it is about DASH and HLS that are made of an input: write `-o http://localhost:8080/live.mpd`";
    refuse(option, reason)
}

impl MediaSettings {
    /// Those of an output: its arguments, then the flags of the line.
    pub(super) fn check(
        arguments: &[Argument],
        flags: &[Argument],
    ) -> Result<MediaSettings, StartupError> {
        let given = |name| links::argument(arguments, name).or(last(flags, name));
        if given("sigfrag").is_some_and(|value| !matches!(value, "false" | "off" | "no" | "0")) {
            let what = "option `sigfrag`, a manifest anew over segments that are there,".to_owned();
            return Err(StartupError::NotYet(what));
        }
        let kind = given("dmode").map_or(Ok(Kind::Static), kind)?;
        let wanted = given("segdur").map(segment).transpose()?;
        let segment = wanted.unwrap_or(SEGMENT);
        let chunk = given("cdur").map(|text| chunk(text, segment)).transpose()?;
        let buffer = given("tsb").map_or(Ok(Buffer::Default), buffer)?;
        let template = given("template").map(template).transpose()?;
        let is_single = given("profile").map_or(Ok(false), is_single_file)?;
        let names = match (is_single, template) {
            (true, _) if kind == Kind::Dynamic => {
                let reason =
                    "`onDemand` is for `dmode=static`: leave it out, or write `profile=live`";
                return Err(refuse("profile", reason));
            }
            (true, Some(_)) => {
                let reason = "with `profile=onDemand` there are no segments to name";
                return Err(refuse("template", reason));
            }
            (true, None) => SegmentNames::Single,
            (false, Some(template)) => SegmentNames::Template(template),
            (false, None) => SegmentNames::Default,
        };
        Ok(MediaSettings {
            kind,
            segment,
            longest_segment: match kind {
                _ if wanted.is_some() => segment,
                Kind::Static => LONGEST,
                Kind::Dynamic => LONGEST_LIVE,
            },
            chunk: chunk.filter(|chunk| *chunk < segment),
            buffer,
            names,
        })
    }

    /// Whether players get a segment while it is made.
    pub(crate) fn is_low_latency(&self) -> bool {
        self.kind == Kind::Dynamic && self.chunk.is_some()
    }
}

/// Of a flag that is given again, the last counts.
fn last<'a>(flags: &'a [Argument], name: &str) -> Option<&'a str> {
    let found = flags.iter().rfind(|(known, _)| known == name);
    found.map(|(_, value)| value.as_deref().unwrap_or("true"))
}

fn kind(text: &str) -> Result<Kind, StartupError> {
    match text {
        "static" => Ok(Kind::Static),
        // ffmpeg makes the manifest static at the end in any case.
        "dynamic" | "dynauto" | "dynlast" => Ok(Kind::Dynamic),
        other => {
            let other = other.escape_debug();
            let reason =
                format!("`{other}` is none of `static`, `dynamic`, `dynauto` and `dynlast`");
            Err(refuse("dmode", reason))
        }
    }
}

fn segment(text: &str) -> Result<f64, StartupError> {
    let [least, most] = SEGMENTS;
    let seconds = seconds(text).filter(|seconds| (least..=most).contains(seconds));
    seconds.ok_or_else(|| {
        let text = text.escape_debug();
        let reason = format!(
            "`{text}` is no number of seconds from {least} to {most}, such as `2`, `0.96` or `48/25`"
        );
        refuse("segdur", reason)
    })
}

fn chunk(text: &str, segment: f64) -> Result<f64, StartupError> {
    let shown = text.escape_debug();
    match seconds(text) {
        Some(seconds) if seconds > segment => {
            let reason = format!(
                "`{shown}` is longer than a segment, which has {segment} s: give a larger `segdur`"
            );
            Err(refuse("cdur", reason))
        }
        Some(seconds) if seconds >= SHORTEST_CHUNK => Ok(seconds),
        _ => {
            let reason = format!(
                "`{shown}` is no number of seconds from {SHORTEST_CHUNK} on, such as `0.1` or `1/10`"
            );
            Err(refuse("cdur", reason))
        }
    }
}

fn buffer(text: &str) -> Result<Buffer, StartupError> {
    match text.strip_prefix('-').map(seconds) {
        Some(Some(_)) => Ok(Buffer::Unlimited),
        Some(None) => Err(not_a_buffer(text)),
        None => {
            let seconds = seconds(text).ok_or_else(|| not_a_buffer(text));
            seconds.map(Buffer::Seconds)
        }
    }
}

fn not_a_buffer(text: &str) -> StartupError {
    let text = text.escape_debug();
    let reason = format!("`{text}` is no number of seconds such as `30`; `-1` is without an end");
    refuse("tsb", reason)
}

/// Seconds as a decimal number, or as a fraction.
fn seconds(text: &str) -> Option<f64> {
    let number = |text: &str| {
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.parse::<f64>().ok().filter(|_| is_plain)
    };
    let seconds = match text.split_once('/') {
        Some((over, under)) => number(over)? / number(under)?,
        None => number(text)?,
    };
    (seconds.is_finite() && seconds < 1e9).then_some(seconds)
}

/// Whether a profile asks for one file instead of segments. ffmpeg tells players of the live profile in any case.
fn is_single_file(text: &str) -> Result<bool, StartupError> {
    match text {
        "auto" | "live" | "main" | "full" | "dashavc264.live" | "dashif.ll" => Ok(false),
        "onDemand" | "dashavc264.onDemand" => Ok(true),
        other => {
            let other = other.escape_debug();
            let reason = format!(
                "ffmpeg cannot make `{other}`: it makes `live`, `main`, `full`, `dashif.ll`, `dashavc264.live`, \
                 `onDemand` and `dashavc264.onDemand`"
            );
            Err(refuse("profile", reason))
        }
    }
}

/// Names in GPAC's grammar, as far as ffmpeg has it.
fn template(text: &str) -> Result<String, StartupError> {
    let refused = |reason: String| {
        let text = text.escape_debug();
        let reason =
            format!("`{text}` {reason}: write one such as `seg_$RepresentationID$_$Number$`");
        Err(refuse("template", reason))
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.$%/".contains(&byte);
    if !text.bytes().all(is_plain) {
        return refused("has more than letters, digits, `-`, `_`, `.` and `/`".to_owned());
    }
    let is_way = |part: &str| part.is_empty() || part.starts_with('.');
    if text.split('/').any(is_way) {
        return refused("is no path below the manifest".to_owned());
    }
    let mut has = [false; 2];
    let pieces: Vec<&str> = text.split('$').collect();
    if pieces.len().is_multiple_of(2) {
        return refused("has a `$` without another".to_owned());
    }
    for variable in pieces.iter().skip(1).step_by(2) {
        let (name, format) = variable.split_at(variable.find('%').unwrap_or(variable.len()));
        match (name, format) {
            ("RepresentationID", "") => has[0] = true,
            ("Number", format) if is_width(format) => has[1] = true,
            _ => return refused(format!("has `${}$`, which ffmpeg does not know", variable)),
        }
    }
    if pieces.iter().step_by(2).any(|piece| piece.contains('%')) {
        return refused("has a `%` outside of `$Number%05d$`".to_owned());
    }
    match has {
        [true, true] => Ok(text.to_owned()),
        _ => refused("lacks `$RepresentationID$` or `$Number$`".to_owned()),
    }
}

/// Whether this is nothing, or digits as in `%05d`.
fn is_width(format: &str) -> bool {
    let digits = format
        .strip_prefix("%0")
        .and_then(|rest| rest.strip_suffix('d'));
    format.is_empty()
        || digits.is_some_and(|digits| digits.len() == 1 && digits.as_bytes()[0].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flags: &str) -> Result<MediaSettings, StartupError> {
        let flags: Vec<Argument> = flags
            .split_whitespace()
            .map(|flag| {
                let (name, value) = flag.split_once('=').expect("has a value");
                (name.to_owned(), Some(value.to_owned()))
            })
            .collect();
        MediaSettings::check(&[], &flags)
    }

    #[test]
    fn values_have_gpacs_meanings() {
        let media = check("").expect("has defaults");
        assert_eq!((media.kind, media.segment), (Kind::Static, 1.0));
        assert_eq!((media.chunk, media.buffer), (None, Buffer::Default));
        let media = check("dmode=dynamic cdur=1/10 segdur=48/25 tsb=-1").expect("is valid");
        assert!(media.is_low_latency());
        assert_eq!((media.chunk, media.segment), (Some(0.1), 1.92));
        assert_eq!(media.buffer, Buffer::Unlimited);
        // A segment of one fragment comes as a whole.
        assert!(
            !check("dmode=dynamic cdur=1")
                .expect("is valid")
                .is_low_latency()
        );
        let media = check("profile=onDemand").expect("is valid");
        assert_eq!(media.names, SegmentNames::Single);
        let template = "a/$RepresentationID$_$Number%05d$";
        let media = check(&format!("template={template}")).expect("is valid");
        assert_eq!(media.names, SegmentNames::Template(template.to_owned()));
    }

    #[test]
    fn an_argument_of_the_output_goes_before_a_flag_and_the_last_flag_counts() {
        let given = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let flags = [given("segdur", "2"), given("segdur", "3")];
        let of = |arguments: &[Argument]| MediaSettings::check(arguments, &flags);
        assert_eq!(of(&[]).map(|media| media.segment).ok(), Some(3.0));
        let own = [given("segdur", "4")];
        assert_eq!(of(&own).map(|media| media.segment).ok(), Some(4.0));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_its_option() {
        for given in [
            "dmode=live",
            "segdur=0",
            "segdur=0.1",
            "segdur=1/0",
            "segdur=-1",
            "segdur=1e3",
            "segdur=inf",
            "segdur=x",
            "cdur=0",
            "cdur=2",
            "cdur=",
            "tsb=all",
            "tsb=-x",
            "profile=hbbtv1.5.live",
            "profile=onDemand dmode=dynamic",
            "template=seg",
            "template=$Number$",
            "template=$RepresentationID$",
            "template=$RepresentationID$-$Number%d$",
            "template=$RepresentationID$-$Number$-%d",
            "template=../$RepresentationID$-$Number$",
            "template=/$RepresentationID$-$Number$",
            "template=$RepresentationID$-$Time$",
            "template=$RepresentationID$-$Number",
            "template=a$RepresentationID$-$Number$ profile=onDemand",
        ] {
            let option = match given.split_once('=') {
                Some((option, _)) => option,
                None => given,
            };
            let error = check(given).expect_err(given).to_string();
            assert!(
                error.starts_with(&format!("option `{option}`: ")),
                "{error}"
            );
            assert_eq!(error.lines().count(), 1);
        }
        let error = check("sigfrag=true").expect_err("is not done").to_string();
        assert!(error.contains("`sigfrag`"), "{error}");
        assert!(check("sigfrag=false").is_ok());
    }
}
