//! A file in its place: whole, or as it was before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

/// Writes `content` to `path`.
pub fn put(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        // Always the same name: whoever is killed here leaves one stray at most, and the next one takes it.
        let mut part = name.to_owned();
        part.push(".part");
        let part = folder.join(part);
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(content)?;
            // Before the name: a power loss could otherwise leave an empty file under it.
            file.sync_all()?;
            fs::rename(&part, path)
        });
        if let Err(error) = written {
            // Half a page helps nobody; what went wrong is said either way.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        put(&path, b"first").unwrap();
        put(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let error = put(&taken, b"page").unwrap_err();
        assert!(error.to_string().starts_with("cannot write "), "{error}");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["report.html", "taken"]);
    }
}
