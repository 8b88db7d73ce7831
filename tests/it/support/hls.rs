//! A player of low-latency HLS that checks what RFC 8216bis asks of a server.

use std::collections::BTreeMap;

use crate::support::curl;

/// How a player speaks to the server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Speaks {
    Http1,
    /// Without TLS.
    Http2,
    Tls,
}

/// A media playlist, as far as it is checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Playlist {
    pub(crate) target: u64,
    pub(crate) part_target: Option<f64>,
    pub(crate) skip_until: f64,
    pub(crate) hold_back: Option<f64>,
    pub(crate) sequence: u64,
    pub(crate) discontinuities: u64,
    pub(crate) skipped: usize,
    pub(crate) segments: Vec<Segment>,
    /// Parts behind the last segment.
    pub(crate) growing: Vec<Part>,
    /// They are behind a discontinuity.
    pub(crate) is_anew: bool,
    /// Where the next part will be.
    pub(crate) hint: Option<(String, u64)>,
    /// Of each other rendition, its last segment and part.
    pub(crate) reports: BTreeMap<String, (u64, Option<u64>)>,
    pub(crate) has_ended: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) uri: String,
    pub(crate) duration: f64,
    pub(crate) parts: Vec<Part>,
    pub(crate) map: Option<String>,
    /// In milliseconds of the day.
    pub(crate) date: Option<u64>,
    pub(crate) is_discontinuous: bool,
    pub(crate) is_gap: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) uri: String,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) duration: f64,
    pub(crate) is_independent: bool,
}

/// One who plays, from its first playlist on.
pub(crate) struct Player {
    pub(crate) url: String,
    speaks: Speaks,
    pub(crate) playlist: Playlist,
    /// All segments that it got to know, by their sequence numbers.
    pub(crate) known: BTreeMap<u64, Segment>,
}

/// Asks for a URL; the body of what is answered with 200 or 206.
pub(crate) fn fetch(speaks: Speaks, url: &str, options: &[&str]) -> String {
    let version = match speaks {
        Speaks::Http1 => "--http1.1",
        Speaks::Http2 => "--http2-prior-knowledge",
        Speaks::Tls => "--http2",
    };
    // 503 says that nothing has come in time: players ask again.
    let fixed = [
        "--fail",
        "--insecure",
        "--max-time",
        "60",
        "--retry",
        "5",
        version,
    ];
    let all: Vec<&str> = fixed.iter().chain(options).chain([&url]).copied().collect();
    curl(&all)
}

impl Player {
    pub(crate) fn start(speaks: Speaks, url: &str) -> Player {
        let playlist = Playlist::parse(&fetch(speaks, url, &[]));
        playlist.check();
        let mut player = Player {
            url: url.to_owned(),
            speaks,
            playlist: Playlist::default(),
            known: BTreeMap::new(),
        };
        player.remember(&playlist);
        player.playlist = playlist;
        player
    }

    /// Asks for the part that comes next, as players do, and checks what it gets; `skips` what it has already.
    pub(crate) fn reload(&mut self, skips: bool) {
        let before = &self.playlist;
        let (segment, part) = (before.next(), before.growing.len());
        let mut url = format!("{}?_HLS_msn={segment}", self.url);
        if before.part_target.is_some() {
            url += &format!("&_HLS_part={part}");
        }
        if skips {
            url += "&_HLS_skip=YES";
        }
        let text = fetch(self.speaks, &url, &[]);
        let mut playlist = Playlist::parse(&text);
        if playlist.skipped > 0 {
            assert!(skips, "{text}");
            playlist.merge(before);
        }
        playlist.check();
        playlist.check_behind(before, &text);
        if !playlist.has_ended {
            let has_part = playlist.next() == segment && playlist.growing.len() > part;
            assert!(
                playlist.next() > segment || has_part,
                "asked for {segment} {part}: {text}"
            );
        }
        self.remember(&playlist);
        self.playlist = playlist;
    }

    fn remember(&mut self, playlist: &Playlist) {
        for (number, segment) in (playlist.sequence..).zip(&playlist.segments) {
            let known = self.known.entry(number).or_insert_with(|| segment.clone());
            // Its parts may have left since, or the file.
            assert_eq!(
                (&known.uri, known.duration),
                (&segment.uri, segment.duration),
                "{number}"
            );
            if known.parts.is_empty() {
                known.parts.clone_from(&segment.parts);
            }
        }
    }

    /// Compares all parts that it has been told of with the files they are of.
    pub(crate) fn check_bytes(&self) {
        let base = self.url.rsplit_once('/').expect("has a path").0;
        for segment in self.known.values().filter(|one| !one.parts.is_empty()) {
            let url = format!("{base}/{}", segment.uri);
            let size = |options: &[&str]| {
                let all = ["-o", "/dev/null", "-w", "%{size_download}"];
                let all: Vec<&str> = all.iter().chain(options).copied().collect();
                fetch(self.speaks, &url, &all)
                    .parse::<u64>()
                    .expect("is a size")
            };
            let told: u64 = segment.parts.iter().map(|part| part.length).sum();
            assert_eq!(size(&[]), told, "{url}");
            for part in &segment.parts {
                let range = format!("{}-{}", part.offset, part.offset + part.length - 1);
                assert_eq!(size(&["-r", &range]), part.length, "{url} {range}");
            }
        }
    }
}

impl Playlist {
    pub(crate) fn parse(text: &str) -> Playlist {
        let mut playlist = Playlist::default();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "{text}");
        let mut next = Segment::default();
        let mut map = None;
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            let attributes = attributes(value);
            let get = |name: &str| attributes.get(name).map(String::as_str);
            let number = |name: &str| get(name).and_then(|text| text.parse::<f64>().ok());
            match tag {
                "#EXT-X-TARGETDURATION" => playlist.target = value.parse().expect("a number"),
                "#EXT-X-PART-INF" => playlist.part_target = number("PART-TARGET"),
                "#EXT-X-SERVER-CONTROL" => {
                    assert_eq!(get("CAN-BLOCK-RELOAD"), Some("YES"));
                    playlist.skip_until = number("CAN-SKIP-UNTIL").expect("is told");
                    playlist.hold_back = number("PART-HOLD-BACK");
                }
                "#EXT-X-MEDIA-SEQUENCE" => playlist.sequence = value.parse().expect("a number"),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                    playlist.discontinuities = value.parse().expect("a number");
                }
                "#EXT-X-SKIP" => {
                    playlist.skipped = number("SKIPPED-SEGMENTS").expect("a number") as usize;
                }
                "#EXT-X-DISCONTINUITY" => next.is_discontinuous = true,
                "#EXT-X-GAP" => next.is_gap = true,
                "#EXT-X-MAP" => map = get("URI").map(str::to_owned),
                "#EXT-X-PROGRAM-DATE-TIME" => next.date = Some(milliseconds(value)),
                "#EXT-X-PART" => {
                    let (length, offset) = get("BYTERANGE")
                        .and_then(|range| range.split_once('@'))
                        .expect("a range");
                    next.parts.push(Part {
                        uri: get("URI").expect("is told").to_owned(),
                        offset: offset.parse().expect("a number"),
                        length: length.parse().expect("a number"),
                        duration: number("DURATION").expect("is told"),
                        is_independent: get("INDEPENDENT") == Some("YES"),
                    });
                }
                "#EXTINF" => {
                    let duration = value.trim_end_matches(',').parse();
                    next.duration = duration.expect("a number");
                }
                "#EXT-X-PRELOAD-HINT" => {
                    assert_eq!(get("TYPE"), Some("PART"));
                    let start = number("BYTERANGE-START").unwrap_or(0.0) as u64;
                    playlist.hint = Some((get("URI").expect("is told").to_owned(), start));
                }
                "#EXT-X-RENDITION-REPORT" => {
                    let last = number("LAST-MSN").expect("is told") as u64;
                    let part = number("LAST-PART").map(|part| part as u64);
                    let uri = get("URI").expect("is told").to_owned();
                    playlist.reports.insert(uri, (last, part));
                }
                "#EXT-X-ENDLIST" => playlist.has_ended = true,
                _ if line.starts_with('#') => {}
                uri => {
                    next.uri = uri.to_owned();
                    next.map.clone_from(&map);
                    playlist.segments.push(std::mem::take(&mut next));
                }
            }
        }
        playlist.is_anew = next.is_discontinuous;
        playlist.growing = next.parts;
        playlist
    }

    /// The sequence number of the segment behind the last that is listed.
    pub(crate) fn next(&self) -> u64 {
        self.sequence + self.segments.len() as u64
    }

    /// Puts in what an update leaves out (RFC 8216bis 6.3.7).
    fn merge(&mut self, before: &Playlist) {
        let from = usize::try_from(self.sequence - before.sequence).expect("never goes back");
        let skipped = &before.segments[from..from + self.skipped];
        let map = skipped.last().and_then(|segment| segment.map.clone());
        for segment in &mut self.segments {
            if segment.map.is_none() {
                segment.map.clone_from(&map);
            }
        }
        let mut all: Vec<Segment> = skipped.to_vec();
        // What is so old has no parts any more.
        all.iter_mut().for_each(|segment| segment.parts.clear());
        // What is left out is far from the end.
        let rest: f64 = self.segments.iter().map(|one| one.duration).sum();
        let parts: f64 = self.growing.iter().map(|part| part.duration).sum();
        assert!(rest + parts >= self.skip_until - 0.001, "{self:?}");
        all.append(&mut self.segments);
        self.segments = all;
        self.skipped = 0;
    }

    /// What holds for each playlist by itself.
    fn check(&self) {
        let target = self.target as f64;
        assert!(self.skip_until >= 6.0 * target, "{self:?}");
        if let Some(part_target) = self.part_target {
            let hold_back = self.hold_back.expect("goes with parts");
            assert!(hold_back >= 3.0 * part_target - 0.0001, "{self:?}");
            let is_broken = self.segments.last().is_some_and(|last| last.is_gap);
            let is_open = self.has_ended || is_broken && self.growing.is_empty();
            assert!(is_open != self.hint.is_some(), "{self:?}");
        }
        for segment in &self.segments {
            assert!(segment.duration.round() <= target, "{segment:?}");
            self.check_parts(&segment.parts);
            if !segment.parts.is_empty() {
                let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
                assert!((sum - segment.duration).abs() < 0.0001, "{segment:?}");
                assert!(segment.parts.iter().all(|part| part.uri == segment.uri));
            }
        }
        self.check_parts(&self.growing);
        for pair in self.segments.windows(2) {
            let [one, two] = pair else { unreachable!() };
            if let (Some(first), Some(second), false) = (one.date, two.date, two.is_discontinuous) {
                let expected = first as f64 + one.duration * 1000.0;
                assert!((second as f64 - expected).abs() <= 2.0, "{one:?} {two:?}");
            }
        }
        // Parts are listed near the end only: those of a segment together.
        let mut behind: f64 = self.growing.iter().map(|part| part.duration).sum();
        for segment in self.segments.iter().rev() {
            let is_near = behind <= 3.0 * target;
            assert!(is_near || segment.parts.is_empty(), "{self:?}");
            behind += segment.duration;
        }
    }

    fn check_parts(&self, parts: &[Part]) {
        let mut end = 0;
        for (index, part) in parts.iter().enumerate() {
            assert_eq!(part.offset, end, "{parts:?}");
            end += part.length;
            let target = self.part_target.expect("goes with parts");
            assert!(part.duration <= target + 0.00001, "{part:?}");
            let is_last = index + 1 == parts.len();
            assert!(is_last || part.duration >= 0.85 * target, "{parts:?}");
        }
    }

    /// What holds for a playlist that comes after another.
    fn check_behind(&self, before: &Playlist, text: &str) {
        assert!(self.sequence >= before.sequence, "{text}");
        assert_eq!(self.target, before.target);
        assert_eq!(self.part_target, before.part_target);
        let gone = usize::try_from(self.sequence - before.sequence).expect("fits");
        if gone > before.segments.len() {
            // All of it has gone meanwhile.
            assert!(self.discontinuities >= before.discontinuities, "{text}");
            return;
        }
        let left = &before.segments[gone..];
        let discontinuities = before.segments[..gone].iter();
        let discontinuities = discontinuities.filter(|one| one.is_discontinuous).count();
        let told = before.discontinuities + discontinuities as u64;
        assert_eq!(self.discontinuities, told, "{text}");
        for (one, other) in left.iter().zip(&self.segments) {
            let same = |one: &Segment| (one.uri.clone(), one.duration, one.date, one.map.clone());
            assert_eq!(same(one), same(other), "{text}");
            assert!(other.parts.is_empty() || other.parts == one.parts || one.parts.is_empty());
        }
        // What was there of the segment that grew is still so.
        let grown = self.segments.get(left.len());
        let grown = grown.map_or(&self.growing, |segment| &segment.parts);
        if !grown.is_empty() {
            assert_eq!(&grown[..before.growing.len()], &before.growing, "{text}");
        }
        // What was hinted at is what has come, unless the encoder was started anew meanwhile.
        let is_anew = match self.segments.get(left.len()) {
            Some(segment) => segment.is_discontinuous,
            None => self.is_anew,
        };
        if let (Some((uri, start)), Some(came), false) =
            (&before.hint, grown.get(before.growing.len()), is_anew)
        {
            assert_eq!((uri, *start), (&came.uri, came.offset), "{text}");
        }
        for (uri, report) in &before.reports {
            let later = self.reports.get(uri);
            assert!(self.has_ended || later >= Some(report), "{text}");
        }
    }
}

/// The attributes of a list; quotes may hold commas.
pub(crate) fn attributes(list: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut rest = list;
    while let Some((name, value)) = rest.split_once('=') {
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value
                .find(',')
                .map_or((value, ""), |comma| value.split_at(comma)),
        };
        all.insert(name.to_owned(), value.to_owned());
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
    all
}

/// The time of the day in `2026-11-21T20:31:12.800Z`.
fn milliseconds(date: &str) -> u64 {
    let time = date.split_once('T').expect("has a time").1;
    let digits: Vec<u64> = time
        .trim_end_matches('Z')
        .split([':', '.'])
        .map(|part| part.parse().expect("a number"))
        .collect();
    let [hours, minutes, seconds, thousandths] = digits[..] else {
        panic!("{date}");
    };
    ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
}
