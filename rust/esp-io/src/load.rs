//! How busy a worker is: the time in which it worked, or would have if it had had a processor, by the time that passed.

use std::fs::File;
use std::mem::zeroed;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Several ticks of the system's clock, with which it counts a thread that does not sleep.
const SPAN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Load {
    began: Instant,
    spent: Duration,
    /// Time awake without work.
    idle: Duration,
    /// proc(5), schedstat: nanoseconds on a processor, and nanoseconds in wait for one. Not every system has it.
    statistics: Option<File>,
}

impl Load {
    /// Of the calling thread, from now on.
    pub(crate) fn new(now: Instant) -> Self {
        let statistics = File::open("/proc/thread-self/schedstat").ok();
        Self { began: now, spent: spent(statistics.as_ref()), idle: Duration::ZERO, statistics }
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
        let spent = spent(self.statistics.as_ref());
        let work = spent.saturating_sub(self.spent).saturating_sub(self.idle);
        (self.began, self.spent, self.idle) = (now, spent, Duration::ZERO);
        Some((work.as_nanos() * 100 / span.as_nanos()) as u32)
    }
}

fn spent(statistics: Option<&File>) -> Duration {
    statistics.and_then(told).unwrap_or_else(on_processor)
}

fn told(statistics: &File) -> Option<Duration> {
    let mut text = [0; 64];
    let length = statistics.read_at(&mut text, 0).ok()?;
    let mut numbers = std::str::from_utf8(&text[..length]).ok()?.split_ascii_whitespace();
    let mut next = || numbers.next()?.parse::<u64>().ok();
    Some(Duration::from_nanos(next()? + next()?))
}

/// The processor's time that the calling thread has had.
fn on_processor() -> Duration {
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
            let before = on_processor();
            while on_processor() - before < 5 * SPAN {}
            load.idled(idle);
            // As if it had taken twice as long.
            load.percent(began + 10 * SPAN)
        };
        assert!(load_of(Duration::ZERO) >= Some(40));
        assert_eq!(load_of(Duration::from_secs(1)), Some(0));
    }

    #[test]
    fn both_ways_of_telling_agree_on_what_was_spent_on_a_processor() {
        let statistics = File::open("/proc/thread-self/schedstat").ok();
        if let Some(told) = statistics.as_ref().and_then(told) {
            assert!(told + SPAN >= on_processor());
        }
    }
}
