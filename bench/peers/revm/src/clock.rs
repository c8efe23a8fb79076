//! Thread CPU time, and the median of repeated runs.

/// Nanoseconds of CPU time that this thread has used.
pub fn thread_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

const BATCH_NS: u64 = 1_000_000;
const TOTAL_NS: u64 = 150_000_000;
const BATCHES_MIN: usize = 5;

/// Median microseconds of one run, and how many runs were made. Short runs are timed many at a time, so that
/// reading the clock does not count.
pub fn median_us(mut run: impl FnMut()) -> (f64, u64) {
    run();
    let begin = thread_ns();
    run();
    let once = (thread_ns() - begin).max(1);
    let size = (BATCH_NS / once).clamp(1, 1_000_000);
    let mut samples = Vec::new();
    let start = thread_ns();
    while samples.len() < BATCHES_MIN || thread_ns() - start < TOTAL_NS {
        let begin = thread_ns();
        for _ in 0..size {
            run();
        }
        samples.push((thread_ns() - begin) as f64 / size as f64 / 1000.0);
    }
    samples.sort_by(f64::total_cmp);
    (samples[samples.len() / 2], size * samples.len() as u64)
}
