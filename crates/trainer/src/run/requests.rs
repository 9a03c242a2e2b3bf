//! What somebody outside asks of a run under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Requests that the loop looks at between two steps.
///
/// They are plain flags, so that a signal handler may set them; the library installs none. Clones
/// share them.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    stop: Arc<AtomicBool>,
    save: Arc<AtomicBool>,
}

impl Requests {
    /// Set it to end the run after the step under way: saved, and to be continued later.
    #[must_use]
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Set it to have the run saved after the step under way, and go on.
    #[must_use]
    pub fn save_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.save)
    }

    /// Whether the run shall end.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether the run shall be saved; the request is then met.
    #[must_use]
    pub fn take_save(&self) -> bool {
        self.save.swap(false, Ordering::Relaxed)
    }
}
