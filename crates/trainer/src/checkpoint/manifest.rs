//! `manifest.json`: what a checkpoint holds, and the proof that it is whole.
//!
//! The file is `{"blake3":"<hash of BODY>","manifest":BODY}` and a line feed, in exactly these bytes,
//! so that every byte of it is either fixed or hashed, and it is still JSON for whoever looks at it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::TrainingState;
use super::name::is_plain;

/// The manifest's name inside a checkpoint.
pub(super) const FILE_NAME: &str = "manifest.json";
/// The most that is read of a manifest; a history of a million evaluations takes less.
pub(super) const MAX_BYTES: u64 = 256 << 20;
/// The version of the folder's layout.
const FORMAT: u32 = 1;

const BEFORE_HASH: &str = "{\"blake3\":\"";
const BEFORE_BODY: &str = "\",\"manifest\":";
const AFTER_BODY: &str = "}\n";
const HASH_LEN: usize = 64;

/// One file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub name: String,
    pub length: u64,
    pub blake3: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub format: u32,
    pub files: Vec<FileEntry>,
    pub state: TrainingState,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl Manifest {
    pub fn new(files: Vec<FileEntry>, state: &TrainingState) -> Self {
        Self {
            format: FORMAT,
            files,
            state: state.clone(),
        }
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let body = serde_json::to_string(self)?;
        let hash = hash(body.as_bytes());
        Ok(format!("{BEFORE_HASH}{hash}{BEFORE_BODY}{body}{AFTER_BODY}").into_bytes())
    }

    /// Reads a manifest that must name exactly the files `expected`.
    pub fn read(bytes: &[u8], expected: &[&str]) -> Result<Self, String> {
        let body = checked_body(bytes)
            .ok_or("its manifest is damaged or incomplete: the hash does not match")?;
        let unreadable = |error| format!("its manifest cannot be read: {error}");
        // The format first: another one may have other fields.
        let FormatOnly { format } = serde_json::from_slice(body).map_err(unreadable)?;
        if format != FORMAT {
            return Err(format!(
                "it has format {format}, and this build reads format {FORMAT}"
            ));
        }
        let manifest: Self = serde_json::from_slice(body).map_err(unreadable)?;
        let mut names = HashSet::new();
        for file in &manifest.files {
            if !is_plain(&file.name) || !expected.contains(&file.name.as_str()) {
                return Err(format!(
                    "its manifest names an unknown file {:?}",
                    file.name
                ));
            }
            if !names.insert(file.name.as_str()) {
                return Err(format!("its manifest names {} twice", file.name));
            }
        }
        match expected.iter().find(|name| !names.contains(**name)) {
            Some(name) => Err(format!("its manifest lacks {name}")),
            None => Ok(manifest),
        }
    }
}

fn checked_body(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(BEFORE_HASH.as_bytes())?;
    let (expected, rest) = rest.split_at_checked(HASH_LEN)?;
    let rest = rest.strip_prefix(BEFORE_BODY.as_bytes())?;
    let body = rest.strip_suffix(AFTER_BODY.as_bytes())?;
    (hash(body).as_bytes() == expected).then_some(body)
}

pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
