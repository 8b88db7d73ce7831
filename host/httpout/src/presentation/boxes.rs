//! What boxes of ISO files hold (ISO/IEC 14496-12), as far as playlists need it.

use crate::manifest::LARGEST_NUMBER;
use mp4_atom::{Atom, Decode, Header, Mdhd, Tfdt, Tfhd, Tkhd, Trex, Trun, TrunSamples};

/// What a stream of segments begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Init {
    tracks: Vec<InitTrack>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InitTrack {
    id: u32,
    timescale: u32,
    defaults: Defaults,
}

/// What holds for samples that do not say it themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Defaults {
    duration: u32,
    flags: u32,
}

/// What the head of a fragment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    track: u32,
    /// Decode time of the first sample, in units of the track.
    pub(super) time: u64,
    /// How long the samples take that say it.
    told: u64,
    /// How many do not.
    untold: u64,
    /// The flags of the first sample, where it says them.
    flags: Option<u32>,
}

/// The longest fragment, in units, so that those of a segment can be added.
const LONGEST: u64 = 1 << 40;

/// Of the flags of a sample: it needs others to be decoded.
const NON_SYNC: u32 = 1 << 16;

impl Init {
    /// Reads the content of a box `moov`.
    pub(super) fn parse(moov: &[u8]) -> Option<Init> {
        let mut tracks = Vec::new();
        let mut defaults = Vec::new();
        for (kind, body) in children(moov) {
            match &kind {
                b"trak" => tracks.extend(track(body)),
                b"mvex" => {
                    let all = children(body).filter(|(kind, _)| kind == b"trex");
                    defaults.extend(all.filter_map(|(_, body)| leaf::<Trex>(body)));
                }
                _ => {}
            }
        }
        for trex in defaults {
            let its = |track: &&mut InitTrack| track.id == trex.track_id;
            if let Some(track) = tracks.iter_mut().find(its) {
                track.defaults = Defaults {
                    duration: trex.default_sample_duration,
                    flags: trex.default_sample_flags,
                };
            }
        }
        (!tracks.is_empty()).then_some(Init { tracks })
    }

    /// Units in a second, of the first track.
    pub(super) fn first_timescale(&self) -> u64 {
        self.tracks[0].timescale.into()
    }

    /// Units in a second, of the track that a fragment is of.
    pub(super) fn timescale(&self, head: &Head) -> u64 {
        self.track(head).timescale.into()
    }

    /// How long a fragment is, in units of its track.
    pub(super) fn duration(&self, head: &Head) -> u64 {
        let each = u64::from(self.track(head).defaults.duration);
        let all = head.told.saturating_add(head.untold.saturating_mul(each));
        all.min(LONGEST)
    }

    /// Whether a fragment begins with a sample that needs no others.
    pub(super) fn is_independent(&self, head: &Head) -> bool {
        let flags = head.flags.unwrap_or(self.track(head).defaults.flags);
        flags & NON_SYNC == 0
    }

    fn track(&self, head: &Head) -> &InitTrack {
        let its = self.tracks.iter().find(|track| track.id == head.track);
        its.unwrap_or(&self.tracks[0])
    }
}

impl Head {
    /// Reads the content of a box `moof`. Of several tracks the first counts.
    pub(super) fn parse(moof: &[u8]) -> Option<Head> {
        let (_, traf) = children(moof).find(|(kind, _)| kind == b"traf")?;
        let mut tfhd: Option<Tfhd> = None;
        let mut tfdt: Option<Tfdt> = None;
        let mut runs = Vec::new();
        for (kind, body) in children(traf) {
            match &kind {
                b"tfhd" => tfhd = leaf(body),
                b"tfdt" => tfdt = leaf(body),
                b"trun" => runs.push(leaf::<Trun>(body)?),
                _ => {}
            }
        }
        let tfhd = tfhd?;
        let mut head = Head {
            track: tfhd.track_id,
            time: tfdt?.base_media_decode_time.min(LARGEST_NUMBER),
            told: 0,
            untold: 0,
            flags: None,
        };
        let first = runs.iter().find_map(|run| run.samples.get(0))?;
        head.flags = first.flags.or(tfhd.default_sample_flags);
        let default = tfhd.default_sample_duration;
        for run in &runs {
            match &run.samples {
                // As many as somebody says: not to be counted one by one.
                TrunSamples::Inherited { count, .. } => head.add((*count).into(), default),
                TrunSamples::Explicit(samples) => {
                    for sample in samples {
                        head.add(1, sample.duration.or(default));
                    }
                }
            }
        }
        Some(head)
    }

    fn add(&mut self, count: u64, duration: Option<u32>) {
        match duration {
            Some(each) => self.told = self.told.saturating_add(count * u64::from(each)),
            None => self.untold = self.untold.saturating_add(count),
        }
    }
}

/// Reads the content of a box `trak`.
fn track(trak: &[u8]) -> Option<InitTrack> {
    let inside = |body, wanted: &[u8; 4]| {
        let mut found = children(body);
        found.find_map(|(kind, body)| (kind == *wanted).then_some(body))
    };
    let header: Tkhd = leaf(inside(trak, b"tkhd")?)?;
    let media: Mdhd = leaf(inside(inside(trak, b"mdia")?, b"mdhd")?)?;
    Some(InitTrack {
        id: header.track_id,
        timescale: Some(media.timescale).filter(|scale| *scale > 0)?,
        defaults: Defaults::default(),
    })
}

/// The boxes in the content of another, up to what is malformed.
fn children(mut content: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let Header { kind, size } = Header::decode(&mut content).ok()?;
        let size = size.unwrap_or(content.len());
        let body = content.get(..size)?;
        content = &content[size..];
        Some((kind.into(), body))
    })
}

fn leaf<A: Atom>(mut body: &[u8]) -> Option<A> {
    A::decode_body(&mut body).ok()
}
