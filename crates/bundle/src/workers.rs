//! Independent pieces of work on a fixed number of threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of threads for pieces of work that do not share a tape.
///
/// Plain threads on purpose: work stealing inside the locks of burn-autodiff hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(usize);

impl Workers {
    /// `n` threads, at least one.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self(n.max(1))
    }

    /// The number of threads.
    #[must_use]
    pub fn count(self) -> usize {
        self.0
    }

    /// `f(0), f(1), … f(n - 1)`, in order of the index whatever the order of work.
    ///
    /// At most as many pieces run at once as there are threads. A panic in `f` makes the caller panic.
    pub fn map<T: Send>(self, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
        if self.0 == 1 || n <= 1 {
            return (0..n).map(f).collect();
        }
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<T>>> = (0..n).map(|_| Mutex::new(None)).collect();
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(slot) = results.get(index) else {
                    return;
                };
                let result = f(index);
                *slot.lock().expect("a slot is locked by one thread, once") = Some(result);
            }
        };
        std::thread::scope(|scope| {
            // The caller works too: one thread fewer to start.
            for _ in 1..self.0.min(n) {
                scope.spawn(work);
            }
            work();
        });
        results
            .into_iter()
            .map(|slot| {
                slot.into_inner()
                    .ok()
                    .flatten()
                    .expect("the scope ends when every piece is done, or with its panic")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        let expected: Vec<usize> = (0..50).map(|i| i * i).collect();
        for threads in [0, 1, 2, 8, 100] {
            let found = Workers::new(threads).map(50, |i| {
                std::thread::yield_now();
                i * i
            });
            assert_eq!(found, expected, "{threads} threads");
        }
        assert!(Workers::new(4).map(0, |i| i).is_empty());
    }
}
