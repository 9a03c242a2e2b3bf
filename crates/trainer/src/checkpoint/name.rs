//! The names of checkpoint folders. All are ours: no name from a file becomes a path.

/// What the names of folders begin with that are being written or removed.
pub(super) const TEMPORARY: &str = ".tmp-";

/// A checkpoint's place in time, in the order of time: its step, and which copy it is of a step that
/// was saved again while a folder of it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub step: u64,
    copy: u64,
}

impl Place {
    pub const fn new(step: u64, copy: u64) -> Self {
        Self { step, copy }
    }

    /// The number of the copy that is newer than this one.
    pub const fn next_copy(self) -> u64 {
        self.copy.saturating_add(1)
    }

    pub fn folder_name(self) -> String {
        let Self { step, copy } = self;
        match copy {
            0 => format!("step-{step:010}"),
            _ => format!("step-{step:010}-{copy}"),
        }
    }

    /// The place that a folder's name tells, if it is a checkpoint's.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("step-")?;
        let place = match rest.split_once('-') {
            Some((step, copy)) => Self::new(step.parse().ok()?, copy.parse().ok()?),
            None => Self::new(rest.parse().ok()?, 0),
        };
        // Only the one way in which we write it: `step-+000000001` parses too.
        (place.folder_name() == name).then_some(place)
    }
}

/// Whether `name` can be a file inside a checkpoint: plain, and not the manifest.
pub(super) fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(allowed)
        && !name.starts_with('.')
        && name != super::manifest::FILE_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_others_are_none() {
        assert_eq!(Place::new(1200, 0).folder_name(), "step-0000001200");
        for (step, copy) in [(0, 0), (1200, 0), (1200, 2), (u64::MAX, u64::MAX)] {
            let place = Place::new(step, copy);
            assert_eq!(Place::parse(&place.folder_name()), Some(place));
        }
        for name in [
            "step-1",
            "step-+000000001",
            "step-0000000001-0",
            "step-0000000001-",
            "step-",
            "",
            ".tmp-step-0000000001",
            "step-0000000001.old",
            "step-99999999999999999999999",
        ] {
            assert_eq!(Place::parse(name), None, "{name}");
        }
    }

    #[test]
    fn only_plain_names_are_files() {
        assert!(is_plain("weights.safetensors"));
        for name in [
            "",
            ".",
            "..",
            "../a",
            "/a",
            "a/b",
            "a\\b",
            ".a",
            "manifest.json",
            "a b",
            "ä",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
