//! The segments of a representation, in the order in which players get them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::manifest::{self, LARGEST_NUMBER, Template, Times, Unit};
use crate::presentation::Key;
use crate::presentation::boxes::Init;
use crate::presentation::scanner::Fragment;
use crate::presentation::segment::{Segment, SegmentState, part_target};
use crate::presentation::text::Text;

/// The most segments that a playlist lists.
const MOST: usize = 2000;

/// A representation, and what is there of it.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) facts: manifest::Track,
    /// Its playlist.
    pub(super) playlist: Key,
    pub(super) init_key: Option<Key>,
    init: Option<Arc<Init>>,
    /// How many different ones there have been.
    init_version: u32,
    init_upload: u64,
    /// Those of which something is there; the last may grow.
    pub(super) segments: VecDeque<Segment>,
    /// The media sequence number of the first.
    pub(super) first: u64,
    /// How many discontinuities have gone with earlier ones.
    pub(super) discontinuities: u64,
    /// How many there have been.
    pub(super) runs: u32,
    /// In units; 0 where there are no parts, none where that is not known yet.
    pub(super) part_target: Option<u64>,
    /// The number or time of the segment that was begun last.
    begun: Option<u64>,
    begun_upload: u64,
    /// The upload of the segment that was listed last: what was begun before it has had its time.
    last_upload: u64,
    pub(super) changed: Arc<Notify>,
    /// The playlist, and that without what players have already: of which state of the presentation.
    pub(super) rendered: [Option<(u64, Arc<Text>)>; 2],
}

/// A file as a track takes it.
pub(super) struct Written<'a> {
    pub(super) key: &'a Key,
    pub(super) upload: u64,
    pub(super) fragments: &'a [Fragment],
    pub(super) is_complete: bool,
}

impl Track {
    pub(super) fn new(facts: manifest::Track, playlist: Key, init_key: Option<Key>) -> Track {
        Track {
            facts,
            playlist,
            init_key,
            init: None,
            init_version: 0,
            init_upload: 0,
            segments: VecDeque::new(),
            first: 0,
            discontinuities: 0,
            runs: 0,
            part_target: None,
            begun: None,
            begun_upload: 0,
            last_upload: 0,
            changed: Arc::default(),
            rendered: [None, None],
        }
    }

    /// What begins its segments has been written.
    pub(super) fn set_init(&mut self, init: &Arc<Init>, upload: u64, is_same: bool) {
        if upload == self.init_upload && self.init.is_some() {
            return;
        }
        if !is_same || self.init.is_none() {
            self.init_version += 1;
        }
        self.init_upload = upload;
        self.init = Some(init.clone());
    }

    pub(super) fn init(&self) -> Option<&Arc<Init>> {
        self.init.as_ref()
    }

    /// Units in a second.
    pub(super) fn timescale(&self) -> f64 {
        let scale = self.init.as_ref().map(|init| init.first_timescale());
        scale.unwrap_or(1) as f64
    }

    /// A file has begun that can be read, or is complete; whether it is one of its segments.
    pub(super) fn begin(&mut self, key: &[u8], upload: u64) -> bool {
        let Some(value) = self.facts.template.value(key) else {
            return false;
        };
        if upload > self.begun_upload {
            self.begun_upload = upload;
            self.begun = Some(value);
        }
        true
    }

    /// Its encoder has started anew: which segment is next follows from the manifest alone.
    pub(super) fn begin_anew(&mut self) {
        self.begun = None;
    }

    /// Takes what has been written of a segment: the first bytes, or further ones. Whether players get to know more.
    pub(super) fn take(&mut self, written: &Written<'_>, times: &Times) -> bool {
        let Some(init) = self.init.clone() else {
            return false;
        };
        let Some(at) = self.place(written, &init, times) else {
            return false;
        };
        let segment = &mut self.segments[at];
        let (told, state) = (segment.parts.len(), segment.state);
        // Until it is known how long parts are to be, none is told.
        let mut target = self.part_target.unwrap_or(0);
        for fragment in written.fragments.iter().skip(segment.fragments) {
            segment.add(fragment, &init, &mut target);
        }
        if self.part_target.is_some_and(|known| known > 0) {
            self.part_target = Some(target);
        }
        if written.is_complete && segment.state == SegmentState::Growing {
            segment.end(SegmentState::Complete);
            if self.part_target.is_none() {
                self.settle_parts(written, &init, at);
            }
        }
        let segment = &self.segments[at];
        let has_changed = segment.parts.len() > told || segment.state != state;
        // One that is gone may have been kept up to now.
        self.drop_gone();
        has_changed
    }

    /// The first complete segment tells how long parts are.
    fn settle_parts(&mut self, written: &Written<'_>, init: &Init, at: usize) {
        let target = part_target(written.fragments, init);
        self.part_target = Some(target.unwrap_or(0));
        let segment = &mut self.segments[at];
        let again = Segment::new(segment.key.clone(), segment.upload, segment.value);
        let before = std::mem::replace(segment, again);
        segment.init = before.init;
        segment.is_discontinuous = before.is_discontinuous;
        segment.run = before.run;
        segment.date = before.date;
        let mut target = target.unwrap_or(u64::MAX >> 12);
        for fragment in written.fragments {
            segment.add(fragment, init, &mut target);
        }
        segment.end(SegmentState::Complete);
        if self.part_target > Some(0) {
            self.part_target = Some(target);
        }
    }

    /// Where its segment stands; a new one comes last.
    fn place(&mut self, written: &Written<'_>, init: &Init, times: &Times) -> Option<usize> {
        let is_it = |segment: &Segment| segment.upload == written.upload;
        if let Some(at) = self.segments.iter().rposition(is_it) {
            return (self.segments[at].state == SegmentState::Growing).then_some(at);
        }
        // What has no fragment is no segment yet.
        let head = written.fragments.first()?.head;
        let value = self.facts.template.value(written.key)?;
        if written.upload <= self.last_upload || self.is_late(written.key, value, head.time) {
            return None;
        }
        if let Some(last) = self.segments.back_mut()
            && last.state == SegmentState::Growing
        {
            // The end of one may come behind the beginning of the next, on another connection: that waits. But what an
            // encoder had begun before it was started anew has no end.
            let is_anew = last.init.1 != self.init_upload;
            if !written.is_complete && !is_anew {
                return None;
            }
            last.end(SegmentState::Gone);
        }
        self.last_upload = written.upload;
        let mut segment = Segment::new(written.key.clone(), written.upload, value);
        segment.time = head.time;
        segment.init = (self.init_version, self.init_upload);
        segment.date = self.date(head.time, init.timescale(&head), times);
        match self.segments.back() {
            None if self.first == 0 => self.first = self.first_number(value),
            None => {}
            Some(last) => {
                let half_a_second = init.timescale(&head) / 2;
                segment.is_discontinuous = segment.is_behind_a_break(last, half_a_second);
            }
        }
        self.runs += u32::from(segment.is_discontinuous);
        segment.run = self.runs;
        self.leave(written.key);
        self.segments.push_back(segment);
        self.trim(times);
        Some(self.segments.len() - 1)
    }

    /// A segment from before the last one that is not known: it comes too late to be listed.
    fn is_late(&self, key: &Key, value: u64, time: u64) -> bool {
        let known = || self.segments.iter().any(|segment| segment.key == *key);
        let last = self.segments.back();
        last.is_some_and(|last| value + 1 == last.value && time < last.time && !known())
    }

    /// The media sequence number of the first segment that comes, so that it goes on when the server starts anew.
    fn first_number(&self, value: u64) -> u64 {
        match self.facts.template.unit() {
            Unit::Number => value,
            Unit::Time => {
                let seconds = self.facts.segment_seconds().unwrap_or(1.0);
                let number = value as f64 / self.facts.timescale as f64 / seconds;
                (number.round() as u64).min(LARGEST_NUMBER)
            }
        }
    }

    /// When a sample is to be shown, in milliseconds since 1970.
    fn date(&self, time: u64, timescale: u64, times: &Times) -> Option<i64> {
        let start = i64::try_from(times.start? + self.facts.period).ok()?;
        let media = time as f64 / timescale as f64;
        let offset = self.facts.offset as f64 / self.facts.timescale as f64;
        Some(start.saturating_add(((media - offset) * 1000.0).round() as i64))
    }

    /// A file is gone, or another takes its name.
    pub(super) fn leave(&mut self, key: &[u8]) -> bool {
        let mut has_left = false;
        for segment in &mut self.segments {
            if *segment.key == *key && segment.state != SegmentState::Gone {
                segment.end(SegmentState::Gone);
                has_left = true;
            }
        }
        self.drop_gone();
        has_left
    }

    /// An upload has failed: what was told of it will not come.
    pub(super) fn fail(&mut self, key: &[u8], upload: u64) -> bool {
        let value = self.facts.template.value(key);
        if value.is_some() && value == self.begun {
            // What comes next is that again.
            self.begun = value.and_then(|value| value.checked_sub(1));
        }
        let is_it = |segment: &&mut Segment| segment.upload == upload;
        let Some(segment) = self.segments.iter_mut().rev().find(is_it) else {
            return false;
        };
        let is_told = !segment.parts.is_empty();
        segment.end(SegmentState::Gone);
        if !is_told
            && self
                .segments
                .back()
                .is_some_and(|last| last.upload == upload)
        {
            self.segments.pop_back();
        }
        self.drop_gone();
        true
    }

    /// Those at the front that are gone leave, but not the last that there is beside what grows: players do not take a
    /// playlist for one that has parts only.
    fn drop_gone(&mut self) {
        let is_gone = |segment: &Segment| segment.state == SegmentState::Gone;
        let is_over = |segment: &&Segment| segment.state != SegmentState::Growing;
        let mut over = self.segments.iter().filter(is_over).count();
        while over > 1 && self.segments.front().is_some_and(is_gone) {
            self.drop_first();
            over -= 1;
        }
    }

    /// What the time-shift buffer does not have any more leaves. Players need some to begin with.
    fn trim(&mut self, times: &Times) {
        const LEAST: f64 = 6.0;
        let longest = self.longest(times);
        let depth = times
            .depth
            .map_or(f64::INFINITY, |depth| depth.as_secs_f64());
        let kept = depth.max(LEAST * longest);
        let mut total: f64 = self
            .segments
            .iter()
            .map(|one| self.seconds(one.duration))
            .sum();
        while let Some(first) = self.segments.front() {
            total -= self.seconds(first.duration);
            if total < kept && self.segments.len() <= MOST {
                break;
            }
            self.drop_first();
        }
        self.drop_gone();
        self.forget_parts(3.0 * longest + 3.0);
    }

    /// Parts are listed near the end only; they are not needed of what is further behind, in seconds.
    fn forget_parts(&mut self, behind: f64) {
        let mut left = (behind * self.timescale()) as u64;
        for segment in self.segments.iter_mut().rev() {
            match left.checked_sub(segment.duration) {
                Some(rest) => left = rest,
                None if left > 0 => left = 0,
                None => segment.parts = Vec::new(),
            }
        }
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.segments.pop_front() {
            self.first += 1;
            self.discontinuities += u64::from(first.is_discontinuous);
        }
    }

    /// The longest segment, as far as it is known, in seconds.
    pub(super) fn longest(&self, times: &Times) -> f64 {
        let told = times.longest.map_or(0.0, |longest| longest.as_secs_f64());
        let usual = self.facts.segment_seconds().unwrap_or(0.0);
        let units = self.segments.iter().map(|segment| segment.duration).max();
        let seen = self.seconds(units.unwrap_or(0));
        // What says more than a minute of its segments is not to be taken at its word.
        let told = if told > 60.0 { 0.0 } else { told };
        let usual = if usual > 60.0 { 0.0 } else { usual };
        told.max(usual).max(seen)
    }

    pub(super) fn seconds(&self, units: u64) -> f64 {
        units as f64 / self.timescale()
    }

    /// The number of complete segments.
    pub(super) fn complete(&self) -> usize {
        let is_complete = |one: &&Segment| one.state == SegmentState::Complete;
        self.segments.iter().filter(is_complete).count()
    }

    pub(super) fn has_parts(&self) -> bool {
        self.part_target.is_some_and(|target| target > 0)
    }

    /// The media sequence number of what comes behind all complete segments: it grows, or has not begun.
    pub(super) fn next(&self) -> u64 {
        let growing = self.growing().is_some();
        self.first + self.segments.len() as u64 - u64::from(growing)
    }

    pub(super) fn growing(&self) -> Option<&Segment> {
        let last = self.segments.back();
        last.filter(|last| last.state == SegmentState::Growing)
    }

    /// Whether a segment that grows is as long as they are: what comes next begins another.
    pub(super) fn is_full(&self, growing: &Segment) -> bool {
        let usual = self.facts.segment_seconds();
        usual.is_some_and(|usual| self.seconds(growing.told()) > usual - 0.001)
    }

    /// The file of the segment behind the last. What comes behind one that broke off nobody knows.
    pub(super) fn next_file(&self) -> Option<Vec<u8>> {
        let last = self.segments.back();
        let last = last.filter(|last| last.state != SegmentState::Gone)?;
        let template: &Template = &self.facts.template;
        let step = match template.unit() {
            Unit::Number => 1,
            Unit::Time => {
                let seconds = self.seconds(last.duration);
                (seconds * self.facts.timescale as f64).round() as u64
            }
        };
        template.path(last.value.saturating_add(step))
    }

    /// Whether a file is one that is about to come: the next segment, or one that the manifest tells already.
    pub(super) fn is_next(&self, key: &[u8], times: &Times, now: u64) -> bool {
        let facts = &self.facts;
        let Some(value) = facts.template.value(key) else {
            return false;
        };
        let told = facts.timeline.unwrap_or_default();
        match (facts.template.unit(), self.begun) {
            (Unit::Number, Some(last)) => {
                let listed = (facts.start_number + told.count).saturating_sub(1);
                (last + 1..=listed.max(last + 1)).contains(&value)
            }
            (Unit::Number, None) => {
                let by_clock = self.number_at(times, now);
                value == facts.start_number
                    || by_clock.is_some_and(|number| value.abs_diff(number) <= 1)
            }
            (Unit::Time, last) => {
                let length = facts.duration.unwrap_or(told.longest);
                let begun = last.unwrap_or(told.end.saturating_sub(told.last));
                let end = (begun + length + length / 2).max(told.end);
                let is_behind = last.is_none_or(|last| value > last);
                is_behind && value <= end
            }
        }
    }

    /// The number of the segment that is being made at a time, in milliseconds since 1970.
    fn number_at(&self, times: &Times, now: u64) -> Option<u64> {
        let since = now.checked_sub(times.start? + self.facts.period)?;
        let passed = since as f64 / 1000.0 / self.facts.segment_seconds()?;
        Some(self.facts.start_number.saturating_add(passed as u64))
    }
}
