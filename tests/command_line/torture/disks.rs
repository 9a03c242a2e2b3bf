//! Disks that are full, files that may not grow, folders that may not be written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::subject::{Kind, Subject, contents, restore};
use super::tally::Tally;
use super::times;
use crate::support::Done;

const STEPS: usize = 14;

/// What is wrong with an end that must be an error of the disk, with the path, and lose nothing.
fn problem_of(done: &Done, subject: &Subject, run: &str, saved: u64) -> Option<String> {
    let is_told = done.code == 0 || done.code == 5 && done.stderr.contains("error: cannot ");
    if !is_told {
        return Some(done.to_string());
    }
    subject.newest(run, saved).err()
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_loses_nothing() {
    let subject = Subject::new(Kind::Text, STEPS);
    let (begun, saved) = subject.begun();
    let largest = contents(&subject.sandbox.path("whole"))
        .into_values()
        .map(|file| file.len())
        .max();
    let n = times(7);
    let mut refused = 0;
    let mut tally = Tally::new("limits on the size of files");
    for i in 1..=n {
        restore(&subject.sandbox.path("limited"), &begun);
        // In blocks of 512 bytes; the last one is no obstacle.
        let blocks = (largest.unwrap_or(0) / 512 + 1) * i / n;
        let done = subject.training("limited").limited(blocks).run();
        let mut problem = problem_of(&done, &subject, "limited", saved);
        if done.code == 5 {
            refused += 1;
            if !done.stderr.contains("File too large") {
                problem = problem.or(Some(done.to_string()));
            }
        }
        let problem = problem.or_else(|| subject.difference("limited"));
        tally.count(problem.map(|problem| format!("{blocks} blocks: {problem}")));
    }
    assert!(refused >= n / 2, "{refused} limits were met");
    tally.end(n);
}

/// A small file system in memory.
struct Mounted(PathBuf);

impl Mounted {
    fn new(path: PathBuf, bytes: u64) -> Self {
        fs::create_dir(&path).unwrap();
        let size = format!("size={bytes}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&path)
            .output();
        let mount = mount.unwrap();
        assert!(mount.status.success(), "a mount is refused here: {mount:?}");
        Self(path)
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Fills a file system until `free` bytes are left.
fn fill(folder: &Path, bytes: u64) {
    let zeros = vec![0; bytes as usize];
    fs::write(folder.join("filling"), zeros).unwrap();
}

#[test]
#[ignore = "needs the right to mount; `just torture` runs it"]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let subject = Subject::new(Kind::Text, STEPS);
    let (begun, saved) = subject.begun();
    let size = |files: &BTreeMap<String, Vec<u8>>| {
        // In pages of 4 KiB, with one for each folder.
        files
            .values()
            .map(|file| 4096 * (file.len() as u64 / 4096 + 2))
            .sum::<u64>()
    };
    let disk_bytes = 3 << 20;
    let disk = Mounted::new(subject.sandbox.path("disk"), disk_bytes);
    let taken = size(&begun);
    let most = (3 * size(&contents(&subject.sandbox.path("whole")))).min(disk_bytes - taken);
    let n = times(64);
    let (mut refused, mut tally) = (0, Tally::new("a disk of 3 MiB that is nearly full"));
    for i in 0..n {
        restore(&subject.sandbox.path("disk/run"), &begun);
        let free = most * i as u64 / n as u64;
        fill(&disk.0, disk_bytes - taken - free);
        let done = subject.training("disk/run").run();
        refused += usize::from(done.code == 5);
        let problem = problem_of(&done, &subject, "disk/run", saved);
        fs::remove_file(disk.0.join("filling")).unwrap();
        let problem = problem.or_else(|| subject.difference("disk/run"));
        tally.count(problem.map(|problem| format!("{free} bytes free: {problem}")));
    }
    assert!(refused >= n / 4, "{refused} were refused");
    tally.end(n);
}

#[test]
#[ignore = "needs the right to mount; `just torture` runs it"]
fn a_folder_that_cannot_be_written_is_an_error_and_can_still_be_read() {
    let subject = Subject::new(Kind::Text, STEPS);
    let states = [
        ("new", BTreeMap::new()),
        ("begun", subject.begun().0),
        ("complete", contents(&subject.sandbox.path("whole"))),
    ];
    let disk = Mounted::new(subject.sandbox.path("disk"), 3 << 20);
    let mut tally = Tally::new("a folder that can only be read");
    for (state, files) in states {
        restore(&disk.0.join("run"), &files);
        disk.remount("ro");
        let done = subject.training("disk/run").run();
        let mut problem = match done.code == 5 && done.stderr.contains("disk/run") {
            true => None,
            false => Some(format!("{state}: {done}")),
        };
        let reads = match state {
            "complete" => &[
                &["verify", "disk/run"][..],
                &["predict", "disk/run", "--text", "fine"],
            ][..],
            "begun" => &[&["verify", "disk/run"][..]],
            _ => &[],
        };
        for arguments in reads {
            let read = subject.sandbox.regard(arguments).run();
            if read.code != 0 {
                problem = problem.or(Some(format!("{state}: {read}")));
            }
        }
        disk.remount("rw");
        let problem = problem.or_else(|| subject.difference("disk/run"));
        tally.count(problem);
    }
    tally.end(3);
}
