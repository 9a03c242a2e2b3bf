//! Rows of a folder: one folder a label in it, one UTF-8 text file an example in each of those.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::Limits;
use super::input::Input;
use super::record::Fields;
use crate::DataError;

/// Goes through the examples in the order of the names of labels and files, whatever order the file system has.
///
/// Names that begin with a point are skipped, and so are files beside the labels' folders, such as a README. The names
/// of one label's files are in memory, and one text.
pub(super) struct FolderReader {
    /// Without links, to tell what leads out of it.
    root: PathBuf,
    limits: Limits,
    labels: std::vec::IntoIter<(String, PathBuf)>,
    label: String,
    files: std::vec::IntoIter<PathBuf>,
}

impl FolderReader {
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, DataError> {
        let root = fs::canonicalize(path).map_err(at(path))?;
        if !root.is_dir() {
            return Err(DataError::NoFolder {
                path: path.to_owned(),
            });
        }
        let mut labels = Vec::new();
        for entry in entries(path)? {
            let entry_path = entry.path();
            if !inside(&entry_path, &root)?.is_dir() {
                continue;
            }
            match entry.file_name().into_string() {
                Ok(label) => labels.push((label, entry_path)),
                Err(_) => return Err(DataError::LabelNotUtf8 { path: entry_path }),
            }
        }
        if labels.is_empty() {
            return Err(DataError::NoLabelFolders {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            root,
            limits,
            labels: labels.into_iter(),
            label: String::new(),
            files: Vec::new().into_iter(),
        })
    }

    /// The next example's file, with its text and label as fields.
    pub(super) fn next(&mut self) -> Result<Option<(PathBuf, Fields)>, DataError> {
        loop {
            if let Some(path) = self.files.next() {
                let mut text = self.read_text(&path)?;
                let end = text.len();
                text.push_str(&self.label);
                let ends = vec![end, text.len()];
                return Ok(Some((path, Fields { text, ends })));
            }
            let Some((label, folder)) = self.labels.next() else {
                return Ok(None);
            };
            let files = entries(&folder)?;
            self.files = files
                .iter()
                .map(DirEntry::path)
                .collect::<Vec<_>>()
                .into_iter();
            self.label = label;
        }
    }

    /// The whole file with line feeds as line ends, and none at its end.
    fn read_text(&self, path: &Path) -> Result<String, DataError> {
        let kind = inside(path, &self.root)?;
        if kind.is_dir() {
            return Err(DataError::NestedFolder {
                path: path.to_owned(),
            });
        }
        // Opening a named pipe would wait for a writer that may never come.
        if !kind.is_file() {
            return Err(DataError::NoRegularFile {
                path: path.to_owned(),
            });
        }
        let mut input = Input::open(path, self.limits)?;
        let mut text = String::new();
        while input.read_line(&mut text)? {
            if text.len() > self.limits.line_bytes {
                return Err(DataError::TextTooLong {
                    path: path.to_owned(),
                    limit_bytes: self.limits.line_bytes,
                });
            }
            text.push('\n');
        }
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }
}

/// What is in a folder and not hidden, by name.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, DataError> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(at(folder))?;
    let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    entries.retain(|entry| !is_hidden(&entry.file_name()));
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// What a path is; a link is what it leads to, which must be inside of `root`.
fn inside(path: &Path, root: &Path) -> Result<fs::FileType, DataError> {
    let kind = fs::symlink_metadata(path).map_err(at(path))?.file_type();
    if !kind.is_symlink() {
        return Ok(kind);
    }
    let target = fs::canonicalize(path).map_err(at(path))?;
    if !target.starts_with(root) {
        return Err(DataError::LinkOutside {
            path: path.to_owned(),
        });
    }
    Ok(fs::metadata(&target).map_err(at(path))?.file_type())
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> DataError + '_ {
    move |source| DataError::Open {
        path: path.to_owned(),
        source,
    }
}
