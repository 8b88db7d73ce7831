//! A segment as playlists list it: its parts, and what is left of it.

use crate::presentation::Key;
use crate::presentation::boxes::Init;
use crate::presentation::scanner::Fragment;

/// Fragments that are shorter are joined, in seconds: each part costs each player a request.
const SHORTEST_PART: f64 = 0.2;

/// A part that is this share of its segment, or more, would make nothing come earlier.
const LARGEST_SHARE: f64 = 0.75;

/// Lengths that differ by less are the same: those of manifests are rounded.
const TOLERANCE: f64 = 1.001;

/// A segment that has begun.
#[derive(Debug)]
pub(super) struct Segment {
    /// Its file, and which upload of that name.
    pub(super) key: Key,
    pub(super) upload: u64,
    /// Its number or time in the template.
    pub(super) value: u64,
    pub(super) state: SegmentState,
    /// Which of the different init segments it needs, and which upload that was.
    pub(super) init: (u32, u64),
    /// How many discontinuities there have been up to it: names come again behind each.
    pub(super) run: u32,
    /// Its times do not go on from those of the one before.
    pub(super) is_discontinuous: bool,
    /// Of its first sample, in milliseconds since 1970.
    pub(super) date: Option<i64>,
    /// In units of the media: the time of its first sample, and how long it is by now.
    pub(super) time: u64,
    pub(super) duration: u64,
    pub(super) parts: Vec<Part>,
    /// What will be the next part, as far as it has come.
    open: Option<Part>,
    /// It begins with a sample that needs no others.
    pub(super) is_independent: bool,
    /// How many fragments are in it.
    pub(super) fragments: usize,
    /// In bytes, as far as fragments tell.
    pub(super) length: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentState {
    Growing,
    Complete,
    /// There is no such file any more.
    Gone,
}

/// Bytes of a segment that can be played by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) length: u64,
    /// In units of the media.
    pub(super) duration: u64,
    /// A sample in it needs no others.
    pub(super) is_independent: bool,
}

impl Segment {
    pub(super) fn new(key: Key, upload: u64, value: u64) -> Segment {
        Segment {
            key,
            upload,
            value,
            state: SegmentState::Growing,
            init: (0, 0),
            run: 0,
            is_discontinuous: false,
            date: None,
            time: 0,
            duration: 0,
            parts: Vec::new(),
            open: None,
            is_independent: false,
            fragments: 0,
            length: 0,
        }
    }

    /// Whether its times do not go on from those of the one before, by more than so many units, or other media begin.
    pub(super) fn is_behind_a_break(&self, before: &Segment, tolerance: u64) -> bool {
        let is_anew = self.init.0 != before.init.0;
        if self.value == before.value {
            // The same once more, or another first one.
            let moved = self.date.zip(before.date);
            let moved = moved.is_some_and(|(date, before)| date.abs_diff(before) > 500);
            return is_anew || moved || self.time + tolerance < before.time;
        }
        is_anew || self.time + tolerance < before.time + before.duration
    }

    /// Adds a fragment. A part ends where a further one of that length would make it longer than `target`, in units.
    pub(super) fn add(&mut self, fragment: &Fragment, init: &Init, target: &mut u64) {
        let duration = init.duration(&fragment.head);
        let is_independent = init.is_independent(&fragment.head);
        if self.fragments == 0 {
            self.time = fragment.head.time;
            self.is_independent = is_independent;
        }
        self.fragments += 1;
        self.duration += duration;
        self.length = fragment.offset + fragment.length;
        // What an encoder makes longer than it did at first is told as it is.
        *target = (*target).max(duration);
        let limit = (*target as f64 * TOLERANCE) as u64;
        if self
            .open
            .is_some_and(|open| open.duration + duration > limit)
        {
            self.parts.extend(self.open.take());
        }
        let open = self.open.get_or_insert(Part {
            offset: fragment.offset,
            length: 0,
            duration: 0,
            is_independent: false,
        });
        open.length += fragment.length;
        open.duration += duration;
        open.is_independent |= is_independent;
        if open.duration + duration > limit {
            self.parts.extend(self.open.take());
        }
    }

    /// No more will come of it.
    pub(super) fn end(&mut self, state: SegmentState) {
        if self.state == SegmentState::Growing {
            self.parts.extend(self.open.take());
        }
        self.state = state;
    }

    /// Where the part begins that comes next.
    pub(super) fn next_offset(&self) -> u64 {
        self.parts
            .last()
            .map_or(0, |part| part.offset + part.length)
    }

    /// How long its parts are together, in units: what a playlist tells of one that grows.
    pub(super) fn told(&self) -> u64 {
        match self.state {
            SegmentState::Growing => self.parts.iter().map(|part| part.duration).sum(),
            _ => self.duration,
        }
    }
}

/// How long parts are to be by the fragments of a complete segment, in units; none where parts are of no use.
pub(super) fn part_target(fragments: &[Fragment], init: &Init) -> Option<u64> {
    let timescale = init.timescale(&fragments.first()?.head) as f64;
    let durations = fragments.iter().map(|one| init.duration(&one.head));
    let whole: u64 = durations.clone().sum();
    // The last one is what was left.
    let longest = durations.take(fragments.len() - 1).max()?;
    let joined = SHORTEST_PART * timescale / longest.max(1) as f64;
    let joined = (joined - 0.05).ceil().max(1.0);
    let target = longest as f64 * joined;
    (target <= whole as f64 * LARGEST_SHARE).then_some(target as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presentation::cmaf;
    use crate::presentation::scanner::{Found, Scanner};

    /// Fragments of so many units each, of which there are 1000 in a second, and what begins them.
    fn fragments(durations: &[u32]) -> (Vec<Fragment>, Init) {
        let mut bytes = cmaf::init(1, 1000, 0);
        let mut time = 0;
        for duration in durations {
            bytes.extend(cmaf::fragment(1, time, &[(*duration, time == 0)], b"media"));
            time += duration;
        }
        let mut all = Vec::new();
        let mut init = None;
        Scanner::new().push(&bytes, |found| match found {
            Found::Fragment(fragment) => all.push(fragment),
            Found::Init(one) => init = Some(one),
        });
        (all, init.expect("is there"))
    }

    fn parts(durations: &[u32], mut target: u64) -> (Vec<u64>, u64) {
        let (fragments, init) = fragments(durations);
        let key: Key = b"gmem/v".as_slice().into();
        let mut segment = Segment::new(key, 1, 1);
        for fragment in &fragments {
            segment.add(fragment, &init, &mut target);
        }
        segment.end(SegmentState::Complete);
        assert_eq!(segment.told(), segment.duration);
        let durations = segment.parts.iter().map(|part| part.duration);
        (durations.collect(), target)
    }

    #[test]
    fn parts_are_about_a_fifth_of_a_second_or_longer() {
        for (fragment, count, target) in [
            (40, 50, Some(200)),
            (33, 60, Some(231)),
            (100, 20, Some(200)),
            (192, 10, Some(192)),
            (213, 10, Some(213)),
            (500, 4, Some(500)),
            (1000, 2, Some(1000)),
            (2000, 1, None),
            (1800, 2, Some(1800)),
        ] {
            let (fragments, init) = fragments(&vec![fragment; count]);
            assert_eq!(part_target(&fragments, &init), target, "{fragment}");
        }
        // What is left of such a segment is too little to be worth it.
        let (fragments, init) = fragments(&[1900, 100]);
        assert_eq!(part_target(&fragments, &init), None);
    }

    #[test]
    fn fragments_are_joined_up_to_the_target() {
        assert_eq!(parts(&[40; 12], 200), (vec![200, 200, 80], 200));
        assert_eq!(parts(&[213, 192, 213, 192], 213).0, [213, 192, 213, 192]);
        assert_eq!(parts(&[93, 116, 93, 116, 93], 232).0, [209, 209, 93]);
        // One that an encoder makes longer is told as it is.
        assert_eq!(parts(&[200, 300, 200], 200), (vec![200, 300, 200], 300));
    }
}
