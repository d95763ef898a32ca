//! How busy a worker is: the processor's time that it took, by the time that passed.

use std::mem::zeroed;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Load {
    began: Instant,
    spent: Duration,
    /// Time awake without work.
    idle: Duration,
}

impl Load {
    /// Of the calling thread, from now on.
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, spent: spent(), idle: Duration::ZERO }
    }

    /// So long it only looked for work.
    pub(crate) fn idled(&mut self, awake: Duration) {
        self.idle += awake;
    }

    /// At the end of each span, the percentage of it that was work.
    pub(crate) fn percent(&mut self, now: Instant) -> Option<u32> {
        let span = now.duration_since(self.began);
        if span < SPAN {
            return None;
        }
        let before = std::mem::replace(self, Self::new(now));
        let work = (self.spent - before.spent).saturating_sub(before.idle);
        Some((work.as_nanos() * 100 / span.as_nanos()) as u32)
    }
}

/// The processor's time that the calling thread has had.
fn spent() -> Duration {
    // SAFETY: all zero is a valid timespec, which outlives the call that writes it.
    let time = unsafe {
        let mut time: libc::timespec = zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
        time
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_judged_when_it_is_over() {
        let began = Instant::now();
        let mut load = Load::new(began);
        assert_eq!(load.percent(began + SPAN / 2), None);
        assert!(load.percent(began + SPAN).is_some());
        assert_eq!(load.percent(began + SPAN + SPAN / 2), None);
    }

    #[test]
    fn work_counts_and_looking_for_it_does_not() {
        let load_of = |idle| {
            let began = Instant::now();
            let mut load = Load::new(began);
            let before = spent();
            while spent() - before < SPAN {}
            load.idled(idle);
            // As if it had taken twice as long.
            load.percent(began + 2 * SPAN)
        };
        assert!(load_of(Duration::ZERO) >= Some(50));
        assert_eq!(load_of(Duration::from_secs(1)), Some(0));
    }
}
