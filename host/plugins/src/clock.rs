//! The clock that interrupts guests: a thread that advances the epoch while any may run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::EngineWeak;

/// How often a running guest is interrupted, so that its worker thread can serve others.
const TICK: Duration = Duration::from_millis(1);

/// How many ticks without a guest that may run it takes until the clock stops, so that an idle server sleeps.
const IDLE_TICKS: u32 = 1000;

/// The handle of the clock's thread.
pub(crate) struct Clock {
    thread: Thread,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    /// Instances that wait between two calls: there is nothing to interrupt.
    asleep: AtomicUsize,
}

impl Clock {
    /// Starts the thread. It ends with the engine, and stops for as long as all instances are asleep; `count` says how
    /// many there are.
    pub(crate) fn start(
        engine: EngineWeak,
        count: impl Fn() -> usize + Send + 'static,
    ) -> std::io::Result<Clock> {
        let state = Arc::new(State::default());
        let shared = state.clone();
        let builder = thread::Builder::new().name("plugin-clock".to_owned());
        let handle = builder.spawn(move || run(&engine, &shared, count))?;
        Ok(Clock {
            thread: handle.thread().clone(),
            state,
        })
    }

    /// Makes sure that the clock runs. To be called after an instance has begun to count.
    pub(crate) fn wake(&self) {
        if self.state.stopped.load(SeqCst) {
            self.thread.unpark();
        }
    }

    /// An instance is asleep as long as this is kept.
    pub(crate) fn sleep(&self) -> Asleep<'_> {
        self.state.asleep.fetch_add(1, SeqCst);
        Asleep(self)
    }
}

/// An instance that waits between two calls.
pub(crate) struct Asleep<'a>(&'a Clock);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.state.asleep.fetch_sub(1, SeqCst);
        self.0.wake();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        // So that it sees the end of the engine.
        self.thread.unpark();
    }
}

fn run(engine: &EngineWeak, state: &State, count: impl Fn() -> usize) {
    let is_idle = || count() <= state.asleep.load(SeqCst);
    let mut idle_ticks = 0;
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        idle_ticks = if is_idle() { idle_ticks + 1 } else { 0 };
        if idle_ticks < IDLE_TICKS {
            thread::sleep(TICK);
            continue;
        }
        state.stopped.store(true, SeqCst);
        // An instance that came or awoke before the flag was set has not seen it.
        if is_idle() {
            thread::park();
        }
        state.stopped.store(false, SeqCst);
        idle_ticks = 0;
    }
}
