//! The clock that interrupts guests: a thread that advances the epoch while there are any.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::EngineWeak;

/// How often a running guest is interrupted, so that its worker thread can serve others.
const TICK: Duration = Duration::from_millis(1);

/// How many ticks without any instance it takes until the clock stops, so that an idle server sleeps.
const IDLE_TICKS: u32 = 1000;

/// The handle of the clock's thread.
pub(crate) struct Clock {
    thread: Thread,
    stopped: Arc<AtomicBool>,
}

impl Clock {
    /// Starts the thread. It ends with the engine, and stops for as long as it `is_idle`.
    pub(crate) fn start(
        engine: EngineWeak,
        is_idle: impl Fn() -> bool + Send + 'static,
    ) -> std::io::Result<Clock> {
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        let builder = thread::Builder::new().name("plugin-clock".to_owned());
        let handle = builder.spawn(move || run(&engine, &flag, is_idle))?;
        Ok(Clock {
            thread: handle.thread().clone(),
            stopped,
        })
    }

    /// Makes sure that the clock runs. To be called after an instance has begun to count.
    pub(crate) fn wake(&self) {
        if self.stopped.load(SeqCst) {
            self.thread.unpark();
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        // So that it sees the end of the engine.
        self.thread.unpark();
    }
}

fn run(engine: &EngineWeak, stopped: &AtomicBool, is_idle: impl Fn() -> bool) {
    let mut idle_ticks = 0;
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        idle_ticks = if is_idle() { idle_ticks + 1 } else { 0 };
        if idle_ticks < IDLE_TICKS {
            thread::sleep(TICK);
            continue;
        }
        stopped.store(true, SeqCst);
        // An instance that came before the flag was set has not seen it.
        if is_idle() {
            thread::park();
        }
        stopped.store(false, SeqCst);
        idle_ticks = 0;
    }
}
