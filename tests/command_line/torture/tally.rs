//! What was tried, what survived, and what was lost.

/// Counts faults; whatever is lost is told when all were tried.
pub struct Tally {
    what: String,
    tried: usize,
    lost: Vec<String>,
}

impl Tally {
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            tried: 0,
            lost: Vec::new(),
        }
    }

    /// A fault was made; `problem` is what it broke, if it did.
    pub fn count(&mut self, problem: Option<String>) {
        self.tried += 1;
        self.lost.extend(problem);
    }

    /// Something is lost that no single fault is to blame for.
    pub fn lose(&mut self, problem: String) {
        self.lost.push(problem);
    }

    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Prints the counts.
    ///
    /// # Panics
    ///
    /// If anything was lost, or less than `least` was tried.
    #[track_caller]
    pub fn end(self, least: usize) {
        let Self { what, tried, lost } = self;
        let survived = tried.saturating_sub(lost.len());
        println!(
            "{what}: tried {tried}, survived {survived}, lost {}",
            lost.len()
        );
        assert!(lost.is_empty(), "{what}:\n{}", lost.join("\n"));
        assert!(tried >= least, "{what}: {tried} tried, expected {least}");
    }
}
