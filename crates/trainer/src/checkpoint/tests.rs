//! Crashes, faults and damage: what a checkpoint store promises about each.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::layer::FileLayer;
use super::memory_disk::{Fault, Loss, MemoryDisk};
use super::*;

const FILES: &[&str] = &["weights.safetensors", "optimizer.safetensors"];

fn state(step: u64, best: Option<u64>) -> TrainingState {
    TrainingState {
        step,
        best: best.map(|step| Best { step, value: 0.5 }),
        ..TrainingState::default()
    }
}

fn weights(step: u64) -> Vec<u8> {
    format!("weights of {step}").into_bytes()
}

fn save<L: FileLayer>(
    store: &CheckpointStore<L>,
    state: &TrainingState,
    keep: usize,
) -> Result<Saved, CheckpointError> {
    let step = state.step;
    store.save(
        state,
        &[&|file| file.write_all(&weights(step)), &|file| {
            file.write_all(b"moments of ")?;
            file.write_all(step.to_string().as_bytes())
        }],
        keep,
    )
}

/// The step that a store loads, after a look at the rest of what it loads.
fn loaded<L: FileLayer>(store: &CheckpointStore<L>) -> Option<u64> {
    let loaded = store.load_newest().unwrap()?;
    let step = loaded.state.step;
    assert_eq!(loaded.files[0], weights(step));
    assert_eq!(loaded.files[1], format!("moments of {step}").into_bytes());
    Some(step)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_newest_the_best_and_the_last_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    assert_eq!(store.load_newest().unwrap(), None);
    for (step, best) in [(100, 100), (200, 200), (300, 200), (400, 200), (500, 200)] {
        let saved = save(&store, &state(step, Some(best)), 2).unwrap();
        assert_eq!(saved.warnings, [""; 0]);
        assert!(saved.path.ends_with(format!("step-{step:010}")));
        assert_eq!(loaded(&store), Some(step));
    }
    assert_eq!(
        names(folder.path()),
        ["step-0000000200", "step-0000000400", "step-0000000500"]
    );
    assert_eq!(store.load_step(200).unwrap().files[0], weights(200));
    let _ = save(&store, &state(600, Some(600)), 1).unwrap();
    assert_eq!(names(folder.path()), ["step-0000000600"]);
    let _ = save(&store, &state(700, Some(600)), 0).unwrap();
    assert_eq!(names(folder.path()), ["step-0000000600", "step-0000000700"]);
    let message = store.load_step(1).unwrap_err().to_string();
    assert!(
        message.starts_with("there is no checkpoint of step 1 in"),
        "{message}"
    );
}

#[test]
fn a_step_saved_again_goes_beside_the_first_until_it_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    let first = save(&store, &state(1, None), 1).unwrap().path;
    fs::write(first.join(FILES[0]), "damaged").unwrap();
    let second = save(&store, &state(1, None), 1).unwrap().path;
    assert!(second.ends_with("step-0000000001-1"));
    assert_eq!(names(folder.path()), ["step-0000000001-1"]);
    assert_eq!(loaded(&store), Some(1));
}

#[test]
fn what_a_killed_process_left_is_swept_and_what_is_not_ours_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    let _ = save(&store, &state(1, None), 1).unwrap();
    fs::create_dir(folder.path().join(".tmp-step-0000000002")).unwrap();
    fs::write(folder.path().join(".tmp-step-0000000002/weights"), "w").unwrap();
    fs::create_dir(folder.path().join("step-notes")).unwrap();
    assert_eq!(loaded(&store), Some(1));
    store.sweep().unwrap();
    assert_eq!(names(folder.path()), ["step-0000000001", "step-notes"]);
    let _ = save(&store, &state(2, None), 1).unwrap();
    assert_eq!(names(folder.path()), ["step-0000000002", "step-notes"]);
}

/// Two checkpoints, `damage` done to the newer one; the warning of loading the older one.
fn warning_after(damage: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    let _ = save(&store, &state(1, None), 2).unwrap();
    damage(&save(&store, &state(2, None), 2).unwrap().path);
    let loaded = store.load_newest().unwrap().unwrap();
    assert_eq!(loaded.state.step, 1);
    assert_eq!(loaded.warnings.len(), 1);
    // The newer one is given up once the older one has gone on.
    let _ = save(&store, &state(2, None), 1).unwrap();
    assert_eq!(store.load_newest().unwrap().unwrap().warnings, [""; 0]);
    loaded.warnings[0].clone()
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_loaded() {
    let weights = |path: &Path| path.join(FILES[0]);
    let manifest = |path: &Path| path.join("manifest.json");
    let other = |path: &Path, file: &str| path.with_file_name("step-0000000001").join(file);
    for (warning, expected) in [
        (
            warning_after(|path| fs::remove_file(weights(path)).unwrap()),
            "weights.safetensors: No such file",
        ),
        (
            warning_after(|path| {
                fs::copy(other(path, FILES[1]), path.join(FILES[1])).unwrap();
            }),
            "cannot be trusted: optimizer.safetensors is damaged: the hash does not match; \
             falling back to step 1",
        ),
        (
            warning_after(|path| fs::write(weights(path), "short").unwrap()),
            "cannot be trusted: weights.safetensors has 5 bytes, expected 12",
        ),
        (
            warning_after(|path| fs::write(weights(path), "much too long a file").unwrap()),
            "weights.safetensors: has 20 bytes, expected at most 12",
        ),
        (
            warning_after(|path| fs::remove_file(manifest(path)).unwrap()),
            "manifest.json: No such file",
        ),
        (
            warning_after(|path| {
                fs::copy(other(path, "manifest.json"), manifest(path)).unwrap();
            }),
            "cannot be trusted: its manifest is of step 1",
        ),
        (
            warning_after(|path| fs::write(manifest(path), "{}").unwrap()),
            "cannot be trusted: its manifest is damaged or incomplete",
        ),
    ] {
        assert!(warning.contains("step-0000000002"), "{warning}");
        assert!(warning.contains(expected), "{warning}\nwithout\n{expected}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let warning = warning_after(|path| {
        let aside = path.with_file_name("aside");
        fs::rename(path.join(FILES[0]), &aside).unwrap();
        std::os::unix::fs::symlink(&aside, path.join(FILES[0])).unwrap();
    });
    assert!(warning.contains("not a plain file"), "{warning}");
}

/// The message of loading a manifest with another body, its hash put right.
fn message_of_body(change: impl Fn(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    let path = save(&store, &state(1, None), 1)
        .unwrap()
        .path
        .join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let (_, body) = text.split_once("\"manifest\":").unwrap();
    let body = change(body.strip_suffix("}\n").unwrap());
    let hash = blake3::hash(body.as_bytes()).to_hex();
    fs::write(
        &path,
        format!("{{\"blake3\":\"{hash}\",\"manifest\":{body}}}\n"),
    )
    .unwrap();
    store.load_newest().unwrap_err().to_string()
}

#[test]
fn hostile_and_foreign_manifests_are_refused() {
    for (from, to, expected) in [
        (
            "\"format\":1",
            "\"format\":2",
            "it has format 2, and this build reads format 1",
        ),
        (
            "weights.safetensors",
            "../../etc/passwd",
            "names an unknown file \"../../etc/passwd\"",
        ),
        (
            "weights.safetensors",
            "/etc/passwd",
            "names an unknown file \"/etc/passwd\"",
        ),
        (
            "weights.safetensors",
            "weights.pt",
            "names an unknown file \"weights.pt\"",
        ),
        (
            "weights.safetensors",
            "optimizer.safetensors",
            "names optimizer.safetensors twice",
        ),
        (
            "\"step\":1",
            "\"step\":1,\"step\":2",
            "cannot be read: duplicate field `step`",
        ),
        (
            "\"step\":1",
            "\"steps\":1",
            "cannot be read: unknown field `steps`",
        ),
        (
            "\"step\":1",
            "\"step\":1e400",
            "cannot be read: number out of range",
        ),
    ] {
        let message = message_of_body(|body| body.replacen(from, to, 1));
        assert!(message.starts_with("no checkpoint in"), "{message}");
        assert!(message.contains(expected), "{message}\nwithout\n{expected}");
    }
    let message = message_of_body(|body| body.replacen("{\"name\"", "{\"nome\"", 2));
    assert!(message.contains("unknown field `nome`"), "{message}");
    let deep = message_of_body(|_| "[".repeat(1 << 20));
    assert!(deep.contains("cannot be read"), "{}", deep.len());
}

#[test]
fn a_manifest_that_lacks_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fewer = CheckpointStore::open(folder.path(), &FILES[..1]);
    let weights: Contents<'_> = &|file| file.write_all(b"w");
    let _ = fewer.save(&state(1, None), &[weights], 1).unwrap();
    let message = CheckpointStore::open(folder.path(), FILES).load_newest();
    let message = message.unwrap_err().to_string();
    assert!(
        message.contains("its manifest lacks optimizer.safetensors"),
        "{message}"
    );
    assert!(
        message.ends_with("begin another run with --out, or remove the folder"),
        "{message}"
    );
}

#[test]
fn every_flipped_byte_and_every_prefix_is_detected() {
    let disk = MemoryDisk::new();
    let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
    let path = save(&store, &state(1, Some(1)), 1).unwrap().path;
    let mut tried = 0;
    for name in FILES.iter().chain(&["manifest.json"]) {
        let file = path.join(name);
        let whole = disk.read(&file, 10_000).unwrap();
        for offset in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[offset] ^= 1 << (offset % 8);
            for bytes in [&damaged[..], &whole[..offset]] {
                disk.damage(&file, bytes);
                let error = store.load_newest();
                assert!(
                    matches!(error, Err(CheckpointError::NoneValid { .. })),
                    "{name} {offset}"
                );
                tried += 1;
            }
        }
        disk.damage(&file, &whole);
    }
    println!("flipped bytes and prefixes of a checkpoint: tried {tried}, detected {tried}, lost 0");
    assert!(tried > 1000, "{tried}");
    assert_eq!(loaded(&store), Some(1));
}

#[test]
fn everything_is_synced_before_the_name_that_makes_it_count() {
    let disk = MemoryDisk::new();
    let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
    let _ = save(&store, &state(1, None), 1).unwrap();
    disk.trace.borrow_mut().clear();
    let _ = save(&store, &state(2, None), 1).unwrap();
    assert_eq!(
        disk.trace.take(),
        [
            "create folder .tmp-step-0000000002",
            "create weights.safetensors",
            "write weights.safetensors",
            "sync weights.safetensors",
            "create optimizer.safetensors",
            "write optimizer.safetensors",
            "write optimizer.safetensors",
            "sync optimizer.safetensors",
            "create manifest.json",
            "write manifest.json",
            "sync manifest.json",
            "sync folder /run/.tmp-step-0000000002",
            "rename .tmp-step-0000000002 step-0000000002",
            "sync folder /run",
            "rename step-0000000001 .tmp-remove-step-0000000001",
            "remove manifest.json",
            "remove optimizer.safetensors",
            "remove weights.safetensors",
            "remove folder .tmp-remove-step-0000000001",
        ]
    );
}

#[test]
fn nothing_is_lost_whichever_operation_of_a_save_fails() {
    let mut tried = 0;
    for fault in [Fault::Once, Fault::Dead] {
        for loss in [Loss::Nothing, Loss::Contents, Loss::All] {
            for index in 0.. {
                let disk = MemoryDisk::new();
                let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
                for step in 1..=3 {
                    let _ = save(&store, &state(step, Some(1)), 1).unwrap();
                }
                disk.fail_at(index, fault);
                let result = save(&store, &state(4, Some(1)), 1);
                if !disk.heal() {
                    let _ = result.unwrap();
                    break;
                }
                disk.crash(loss);
                tried += 1;
                let case = format!("{fault:?} {loss:?} {index} {result:?}");
                let newest = loaded(&store).unwrap();
                assert!(
                    newest == 4 || (newest == 3 && result.is_err()),
                    "{case}: {newest}"
                );
                assert_eq!(store.load_step(1).unwrap().files[0], weights(1), "{case}");
                // The run goes on.
                store.sweep().unwrap();
                let _ = save(&store, &state(5, Some(1)), 1).unwrap();
                assert_eq!(loaded(&store), Some(5), "{case}");
                let left = disk.names(Path::new("/run")).unwrap();
                assert_eq!(left, ["step-0000000001", "step-0000000005"], "{case}");
            }
        }
    }
    println!("operations of a save that fail or kill: tried {tried}, survived {tried}, lost 0");
    assert!(tried > 100, "{tried}");
}

#[test]
fn a_checkpoint_that_reads_back_wrong_removes_nothing() {
    let mut refused = 0;
    for index in 0..12 {
        let disk = MemoryDisk::new();
        let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
        let _ = save(&store, &state(1, None), 1).unwrap();
        disk.fail_at(index, Fault::Unseen);
        match save(&store, &state(2, None), 1) {
            Ok(_) => assert_eq!(loaded(&store), Some(2)),
            Err(error) => {
                assert!(error.to_string().contains("cannot be trusted"), "{error}");
                assert_eq!(loaded(&store), Some(1));
                refused += 1;
            }
        }
    }
    // One write of weights, two of moments, one of the manifest.
    assert_eq!(refused, 4);
}

#[test]
fn a_disk_that_is_about_to_be_full_is_refused_before_anything_is_written() {
    let disk = MemoryDisk::new();
    let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
    store.require_space(u64::MAX).unwrap();
    disk.free.set(Some(199));
    assert_eq!(
        store.require_space(100).unwrap_err().to_string(),
        "cannot save a checkpoint in /run: the disk has 199 bytes free, expected 200, twice what it takes; \
         make room, or lower checkpoint.keep"
    );
    disk.free.set(Some(200));
    store.require_space(100).unwrap();
}

#[test]
fn pruning_keeps_the_newest_that_is_whole_and_the_best_and_examining_names_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path(), FILES);
    assert_eq!(
        store.prune(1).unwrap(),
        [""; 0].map(std::path::PathBuf::from)
    );
    for step in 1..=5 {
        let _ = save(&store, &state(step, Some(2)), 9).unwrap();
    }
    let newest = folder.path().join("step-0000000005").join(FILES[0]);
    fs::write(&newest, "weights of 6").unwrap();
    let examined = store.examine().unwrap();
    let whole: Vec<bool> = examined.iter().map(|one| one.problem.is_none()).collect();
    assert_eq!(whole, [true, true, true, true, false]);
    assert_eq!(examined[1].bytes, 12 + 12);
    let problem = examined[4].problem.as_ref().unwrap();
    assert!(
        problem.ends_with("weights.safetensors is damaged: the hash does not match"),
        "{problem}"
    );
    // Beyond the newest that is whole stands one that nobody can use.
    let removed = store.prune(1).unwrap();
    assert_eq!(removed.len(), 3);
    assert_eq!(names(folder.path()), ["step-0000000002", "step-0000000004"]);
    for name in names(folder.path()) {
        fs::write(folder.path().join(name).join(FILES[1]), "").unwrap();
    }
    assert!(matches!(
        store.prune(1),
        Err(CheckpointError::NoneValid { .. })
    ));
    assert_eq!(
        names(folder.path()).len(),
        2,
        "nothing is removed where nothing is whole"
    );
}

#[test]
fn a_failed_save_says_what_failed_and_where() {
    let disk = MemoryDisk::new();
    let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
    disk.fail_at(5, Fault::Once);
    let error = save(&store, &state(1, None), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot sync /run/.tmp-step-0000000001/weights.safetensors"
    );
    assert_eq!(loaded(&store), None);
    let _ = save(&store, &state(1, None), 1).unwrap();
    assert_eq!(loaded(&store), Some(1));
}

#[test]
fn a_save_stands_when_an_older_one_cannot_be_removed() {
    let disk = MemoryDisk::new();
    let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
    let _ = save(&store, &state(1, None), 1).unwrap();
    disk.fail_at(14, Fault::Once);
    let saved = save(&store, &state(2, None), 1).unwrap();
    assert_eq!(
        saved.warnings,
        [
            "cannot rename /run/step-0000000001: no rename step-0000000001 .tmp-remove-step-0000000001"
        ]
    );
    assert_eq!(loaded(&store), Some(2));
}

#[test]
#[should_panic(expected = "\"../a\" cannot be a checkpoint's file")]
fn a_store_of_files_elsewhere_is_refused() {
    let _ = CheckpointStore::open(Path::new("/run"), &["../a"]);
}

#[derive(Clone, Debug)]
struct Move {
    is_best: bool,
    keep: usize,
    fault: Option<(usize, Fault)>,
    crash: Option<Loss>,
    saves_again: bool,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let fault = prop_oneof![Just(Fault::Once), Just(Fault::Dead)];
    let loss = prop_oneof![Just(Loss::Nothing), Just(Loss::Contents), Just(Loss::All)];
    let one = (
        any::<bool>(),
        1..4_usize,
        prop::option::of((0..30_usize, fault)),
        prop::option::of(loss),
        any::<bool>(),
    )
        .prop_map(|(is_best, keep, fault, crash, saves_again)| Move {
            is_best,
            keep,
            fault,
            crash,
            saves_again,
        });
    prop::collection::vec(one, 1..25)
}

/// `PROPTEST_CASES` where it is set, as `just torture` does.
fn cases(usually: u32) -> u32 {
    let set = std::env::var("PROPTEST_CASES").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(usually)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(400)))]

    /// Changed bytes of a manifest whose hash was put right, as somebody who means harm would: a
    /// checkpoint or an error, and never a panic.
    #[test]
    fn no_changed_manifest_makes_a_panic(
        at: prop::sample::Index, bytes in prop::collection::vec(any::<u8>(), 0..6), cut in 0..6_usize,
        is_sealed: bool,
    ) {
        let disk = MemoryDisk::new();
        let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
        let file = save(&store, &state(1, Some(1)), 1).unwrap().path.join("manifest.json");
        let whole = disk.read(&file, 10_000).unwrap();
        let (start, end) = (r#"{"blake3":"","manifest":"#.len() + 64, whole.len() - 2);
        let mut body = whole[start..end].to_vec();
        let from = at.index(body.len());
        body.splice(from..(from + cut).min(end - start), bytes);
        let hash = match is_sealed {
            true => blake3::hash(&body).to_hex().to_string(),
            false => blake3::hash(&whole[start..end]).to_hex().to_string(),
        };
        let text = format!("{{\"blake3\":\"{hash}\",\"manifest\":");
        let is_same = body == whole[start..end];
        disk.damage(&file, &[text.as_bytes(), &body, b"}\n"].concat());
        match store.load_newest() {
            Ok(loaded) => prop_assert!(is_sealed || is_same, "{loaded:?}"),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// Random saves, faults, power losses and restarts: from the first save that returned on, the
    /// newest one that returned, or a later one, is there at every instant, and so is the best.
    #[test]
    fn a_run_never_loses_its_newest_or_best_checkpoint(moves in moves()) {
        let disk = MemoryDisk::new();
        let store = CheckpointStore::with_layer(Path::new("/run"), FILES, &disk);
        let (mut promised, mut best, mut step) = (0, None, 0);
        for Move { is_best, keep, fault, crash, saves_again } in moves {
            step += u64::from(!saves_again || step == 0);
            let now = if is_best { Some(step) } else { best };
            if let Some((index, fault)) = fault {
                disk.fail_at(index, fault);
            }
            let result = save(&store, &state(step, now), keep);
            let dead = disk.heal() && matches!(fault, Some((_, Fault::Dead)));
            if result.is_ok() {
                promised = step;
            }
            best = now.filter(|_| result.is_ok()).or(best);
            if dead || crash.is_some() {
                disk.crash(crash.unwrap_or(Loss::Nothing));
                let newest = store.load_newest().unwrap();
                // The restarted run stands where its checkpoint says.
                let state = newest.map(|loaded| loaded.state).unwrap_or_default();
                prop_assert!(state.step >= promised, "{} < {promised}", state.step);
                store.sweep().unwrap();
                (promised, step) = (state.step, state.step);
                best = state.best.map(|best| best.step);
            }
            prop_assert!(loaded(&store).unwrap_or(0) >= promised);
            if let Some(best) = best {
                prop_assert!(store.load_step(best).is_ok(), "best {best} of {promised}");
            }
        }
    }
}
