//! What keeps a plugin that fails again and again from costing every request its time.
//!
//! After ten faults in a row it rests: no request is given to it. When the rest is over one request tries it; if that
//! fails too, the next rest is twice as long. Faults in a row are counted, not their share: a plugin that fails at some
//! requests only goes on to serve the others.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// So many faults without a success between them begin a rest.
const FAULTS: u32 = 10;

const FIRST_REST: Duration = Duration::from_secs(1);

const LONGEST_REST: Duration = Duration::from_secs(30);

/// The state of one plugin.
pub(crate) struct Breaker {
    state: Mutex<State>,
    /// There is nothing to take back at a success: the lock can be left alone.
    is_calm: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Requests are given to the plugin, which has failed so many times in a row.
    Serving { faults: u32 },
    /// None is.
    Resting { until: Instant, rest: Duration },
    /// One is, after a rest of this length.
    Trying { rest: Duration },
}

/// Whether a request is given to the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// As all others.
    Usual,
    /// As the only one, to see whether the plugin works again.
    Trial,
    /// It is not. Asking again is of no use before this time is over.
    Refused(Duration),
}

impl Breaker {
    pub(crate) fn new() -> Breaker {
        Breaker {
            state: Mutex::new(State::Serving { faults: 0 }),
            is_calm: AtomicBool::new(true),
        }
    }

    /// Whether a request is given to the plugin. A trial is to be followed by `succeeded`, `failed` or `gave_up`.
    pub(crate) fn admit(&self, now: Instant) -> Admission {
        if self.is_calm.load(Relaxed) {
            return Admission::Usual;
        }
        let mut state = self.state();
        match *state {
            State::Serving { .. } => Admission::Usual,
            State::Resting { until, .. } if now < until => Admission::Refused(until - now),
            State::Resting { rest, .. } => {
                *state = State::Trying { rest };
                Admission::Trial
            }
            State::Trying { .. } => Admission::Refused(FIRST_REST),
        }
    }

    /// The plugin has decided on a request, and has more to do for it. A trial is over, but the next fault begins a rest
    /// again; whether that ended one.
    pub(crate) fn decided(&self, admission: Admission) -> bool {
        if admission != Admission::Trial {
            return false;
        }
        let mut state = self.state();
        let is_over = matches!(*state, State::Trying { .. });
        if is_over {
            let faults = FAULTS - 1;
            *state = State::Serving { faults };
        }
        is_over
    }

    /// A request was served; whether that ended a rest.
    pub(crate) fn succeeded(&self, admission: Admission) -> bool {
        if self.is_calm.load(Relaxed) {
            return false;
        }
        let mut state = self.state();
        let is_over = match *state {
            State::Serving { .. } => false,
            State::Trying { .. } if admission == Admission::Trial => true,
            // It began before the faults.
            State::Resting { .. } | State::Trying { .. } => return false,
        };
        *state = State::Serving { faults: 0 };
        self.is_calm.store(true, Relaxed);
        is_over
    }

    /// A request was not served, by fault of the plugin; the length of the rest that this begins.
    pub(crate) fn failed(&self, admission: Admission, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        self.is_calm.store(false, Relaxed);
        let rest = match &mut *state {
            State::Serving { faults } => {
                *faults += 1;
                if *faults < FAULTS {
                    return None;
                }
                FIRST_REST
            }
            State::Trying { rest } if admission == Admission::Trial => {
                (*rest * 2).min(LONGEST_REST)
            }
            // It began before the rest.
            State::Resting { .. } | State::Trying { .. } => return None,
        };
        let until = now + rest;
        *state = State::Resting { until, rest };
        Some(rest)
    }

    /// A request ended and nothing is known of the plugin: the client left, or there was no instance. The next one tries.
    pub(crate) fn gave_up(&self, admission: Admission, now: Instant) {
        if admission != Admission::Trial {
            return;
        }
        let mut state = self.state();
        if let State::Trying { rest } = *state {
            *state = State::Resting { until: now, rest };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Admission::{Refused, Trial, Usual};

    const SECOND: Duration = Duration::from_secs(1);

    /// A plugin that has begun to rest at this time.
    fn resting(now: Instant) -> Breaker {
        let breaker = Breaker::new();
        for _ in 1..FAULTS {
            assert_eq!(breaker.admit(now), Usual);
            assert_eq!(breaker.failed(Usual, now), None);
        }
        assert_eq!(breaker.failed(Usual, now), Some(SECOND));
        breaker
    }

    #[test]
    fn faults_in_a_row_begin_a_rest() {
        let now = Instant::now();
        let breaker = resting(now);
        assert_eq!(breaker.admit(now), Refused(SECOND));
        let half = SECOND / 2;
        assert_eq!(breaker.admit(now + half), Refused(half));
    }

    #[test]
    fn a_success_between_faults_begins_the_count_again() {
        let (breaker, now) = (Breaker::new(), Instant::now());
        for _ in 0..100 {
            for _ in 1..FAULTS {
                assert_eq!(breaker.failed(Usual, now), None);
            }
            assert!(!breaker.succeeded(Usual));
        }
        assert_eq!(breaker.admit(now), Usual);
    }

    #[test]
    fn after_a_rest_one_request_tries_and_its_success_ends_it() {
        let now = Instant::now();
        let breaker = resting(now);
        assert_eq!(breaker.admit(now + SECOND), Trial);
        assert_eq!(breaker.admit(now + SECOND), Refused(SECOND));
        assert!(breaker.succeeded(Trial));
        assert_eq!(breaker.admit(now + SECOND), Usual);
        assert!(!breaker.succeeded(Usual));
        assert_eq!(breaker.failed(Usual, now), None, "the count is new");
    }

    #[test]
    fn each_trial_that_fails_doubles_the_rest_up_to_its_longest() {
        let mut now = Instant::now();
        let breaker = resting(now);
        for (waited, rest) in [(1, 2), (2, 4), (4, 8), (8, 16), (16, 30), (30, 30)] {
            now += waited * SECOND;
            assert_eq!(breaker.admit(now), Trial);
            assert_eq!(breaker.failed(Trial, now), Some(rest * SECOND));
            assert_eq!(breaker.admit(now), Refused(rest * SECOND));
        }
    }

    #[test]
    fn a_trial_that_has_decided_lets_others_in_while_it_goes_on() {
        let now = Instant::now();
        let breaker = resting(now);
        assert_eq!(breaker.admit(now + SECOND), Trial);
        assert!(breaker.decided(Trial));
        assert_eq!(breaker.admit(now + SECOND), Usual);
        assert_eq!(breaker.failed(Trial, now), Some(SECOND));

        let breaker = resting(now);
        assert_eq!(breaker.admit(now + SECOND), Trial);
        assert!(breaker.decided(Trial));
        assert!(!breaker.succeeded(Trial));
        assert_eq!(breaker.failed(Usual, now), None);
    }

    #[test]
    fn requests_that_began_before_a_rest_change_nothing() {
        let now = Instant::now();
        let breaker = resting(now);
        assert!(!breaker.succeeded(Usual));
        assert_eq!(breaker.failed(Usual, now), None);
        breaker.gave_up(Usual, now);
        assert_eq!(breaker.admit(now), Refused(SECOND));
        assert_eq!(breaker.admit(now + SECOND), Trial);
        assert!(!breaker.succeeded(Usual));
        assert_eq!(breaker.failed(Usual, now), None);
        assert_eq!(breaker.admit(now + SECOND), Refused(SECOND));
    }

    #[test]
    fn a_trial_that_ends_without_a_verdict_leaves_it_to_the_next() {
        let now = Instant::now();
        let breaker = resting(now);
        assert_eq!(breaker.admit(now + SECOND), Trial);
        breaker.gave_up(Trial, now + SECOND);
        assert_eq!(breaker.admit(now + SECOND), Trial);
        assert_eq!(breaker.failed(Trial, now), Some(2 * SECOND));
    }
}
