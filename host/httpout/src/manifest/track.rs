//! What a DASH manifest says of a representation.

use crate::manifest::{LARGEST_NUMBER, Template};

/// A representation whose segments are files of their own, named by a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    /// As the manifest calls it.
    pub(crate) id: String,
    /// The place of its adaptation set.
    pub(crate) set: usize,
    pub(crate) media: Media,
    /// In bit/s.
    pub(crate) bandwidth: Option<u64>,
    pub(crate) codecs: Option<String>,
    pub(crate) resolution: Option<(u32, u32)>,
    /// In frames a second.
    pub(crate) frame_rate: Option<f64>,
    pub(crate) channels: Option<u32>,
    pub(crate) language: Option<String>,
    pub(crate) label: Option<String>,
    /// The role `main`.
    pub(crate) is_main: bool,
    /// What begins it; none where each segment does so itself.
    pub(crate) init: Option<Vec<u8>>,
    pub(crate) template: Template,
    /// Units in a second, of all that the manifest says of its segments.
    pub(crate) timescale: u64,
    /// Of a segment, in these units, where that is told.
    pub(crate) duration: Option<u64>,
    pub(crate) start_number: u64,
    pub(crate) timeline: Option<Timeline>,
    /// The time in the media at which its period begins, in these units.
    pub(crate) offset: u64,
    /// When its period begins, in milliseconds since the start of the presentation.
    pub(crate) period: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Video,
    Audio,
}

/// The segments of a timeline, summed up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    pub(crate) count: u64,
    /// Behind the last.
    pub(crate) end: u64,
    /// Of the last, and the longest of all.
    pub(crate) last: u64,
    pub(crate) longest: u64,
}

impl Timeline {
    /// Adds what an element `S` says: segments of `length`, and how often it is repeated.
    pub(super) fn add(&mut self, start: Option<u64>, length: u64, repeated: u64) {
        let length = length.min(LARGEST_NUMBER);
        let count = repeated.saturating_add(1);
        let all = length.saturating_mul(count);
        let end = start.unwrap_or(self.end).saturating_add(all);
        self.end = end.min(LARGEST_NUMBER);
        self.count = self.count.saturating_add(count).min(LARGEST_NUMBER);
        self.last = length;
        self.longest = self.longest.max(length);
    }
}

impl Track {
    /// How long a segment is as a rule, in seconds.
    pub(crate) fn segment_seconds(&self) -> Option<f64> {
        let units = self
            .duration
            .or(self.timeline.map(|timeline| timeline.longest));
        let seconds = units? as f64 / self.timescale as f64;
        Some(seconds).filter(|seconds| *seconds > 0.0)
    }
}
