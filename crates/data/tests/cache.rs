//! The token cache gives what was put in, wherever it keeps it, and believes no file that is not exactly right.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use regard_data::{TokenCache, TokenRows};

const KEY: [u8; 32] = [7; 32];
const VOCAB: usize = 100;

fn rows() -> Vec<Vec<u32>> {
    (0..40_u32)
        .map(|row| {
            (0..=row % 7)
                .map(|place| (row * 13 + place) % 100)
                .collect()
        })
        .collect()
}

fn write(cache: &TokenCache, rows: &[Vec<u32>], vocab_size: usize) -> TokenRows {
    let mut writer = cache.write("train", KEY, vocab_size);
    for (number, row) in rows.iter().enumerate() {
        writer.push(row, number % 3 == 0).unwrap();
    }
    writer.finish().unwrap()
}

fn read(rows: &TokenRows) -> (Vec<Vec<u32>>, usize, usize) {
    let all = (0..rows.len()).map(|row| {
        let ids = rows.row(row);
        assert_eq!(ids.len(), rows.length(row));
        ids
    });
    (all.collect(), rows.n_tokens(), rows.n_truncated())
}

/// A cache with a file in it, and the file.
fn written(folder: &Path) -> (TokenCache, PathBuf) {
    let cache = TokenCache::in_folder(folder, 0);
    let mapped = write(&cache, &rows(), VOCAB);
    assert!(mapped.is_mapped());
    (cache, folder.join("train.tokens"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_file_give_the_same(
        rows in proptest::collection::vec(proptest::collection::vec(0_u32..70_000, 1..9), 1..40),
        wide: bool,
        memory in 0_u64..200,
    ) {
        let vocab_size = if wide { 70_000 } else { 65_536 };
        let rows: Vec<Vec<u32>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(|id| id % vocab_size as u32).collect())
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let bytes = rows.iter().flatten().count() * if wide { 4 } else { 2 };
        let in_memory = write(&TokenCache::in_folder(folder.path(), u64::MAX), &rows, vocab_size);
        prop_assert!(!in_memory.is_mapped());
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let cache = TokenCache::in_folder(folder.path(), memory);
        let either = write(&cache, &rows, vocab_size);
        prop_assert_eq!(either.is_mapped(), bytes as u64 > memory);
        prop_assert_eq!(&read(&in_memory).0, &rows);
        prop_assert_eq!(read(&either), read(&in_memory));
        if let Some(again) = cache.open("train", &KEY, vocab_size) {
            prop_assert_eq!(read(&again), read(&in_memory));
        } else {
            prop_assert!(!either.is_mapped());
        }
    }
}

#[test]
fn a_file_of_other_data_or_another_vocabulary_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, _) = written(folder.path());
    assert!(cache.open("train", &KEY, VOCAB).is_some());
    assert!(cache.open("train", &[8; 32], VOCAB).is_none());
    assert!(cache.open("valid", &KEY, VOCAB).is_none());
    // The largest id is 99.
    assert!(cache.open("train", &KEY, 99).is_none());
    assert_ne!(TokenCache::key(&["a", "bc"]), TokenCache::key(&["ab", "c"]));
}

#[test]
fn a_file_with_any_byte_changed_or_of_any_other_length_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, path) = written(folder.path());
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 1 << (place % 8);
        fs::write(&path, damaged).unwrap();
        assert!(cache.open("train", &KEY, VOCAB).is_none(), "byte {place}");
    }
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(cache.open("train", &KEY, VOCAB).is_none(), "{length} bytes");
    }
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert!(cache.open("train", &KEY, VOCAB).is_none());
    fs::write(&path, &whole).unwrap();
    assert!(cache.open("train", &KEY, VOCAB).is_some());
}

#[test]
fn a_writer_that_was_cut_off_leaves_no_file_under_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let cache = TokenCache::in_folder(folder.path(), 0);
    let mut writer = cache.write("train", KEY, VOCAB);
    writer.push(&[1, 2, 3], false).unwrap();
    drop(writer);
    assert!(cache.open("train", &KEY, VOCAB).is_none());
    // What it left is written over.
    assert_eq!(read(&write(&cache, &rows(), VOCAB)).0, rows());
}

#[test]
fn a_temporary_cache_leaves_nothing_behind() {
    let cache = TokenCache::temporary(0);
    let mapped = write(&cache, &rows(), VOCAB);
    assert!(mapped.is_mapped());
    let of_this_process = || {
        let prefix = format!("regard-{}-", std::process::id());
        let entries = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
            .count()
    };
    assert_eq!(of_this_process(), 1);
    drop(mapped);
    drop(cache);
    assert_eq!(of_this_process(), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("cache");
    fs::write(&taken, "a file").unwrap();
    let cache = TokenCache::in_folder(&taken, 0);
    let error = cache
        .write("train", KEY, VOCAB)
        .push(&[1], false)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot make the token cache {}; raise data.memory_mib to hold more in memory",
            taken.display()
        )
    );
}
