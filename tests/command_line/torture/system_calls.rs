//! Every write, sync, rename, creation and removal of a run fails, or kills it, once each, by strace.

use std::collections::BTreeMap;

use super::subject::{Kind, Subject, restore};
use super::tally::Tally;

/// The calls by which files change. The numbers of calls are a thread's own, and every save has a new one.
const CALLS: [&str; 9] = [
    "write",
    "fsync",
    "rename",
    "mkdir",
    "rmdir",
    "unlink",
    "unlinkat",
    "ftruncate",
    "statfs",
];

/// Steps of the whole run; the faults come behind its second save, so that there is something to lose.
const STEPS: usize = 14;

#[test]
#[ignore = "needs strace; `just torture` runs it"]
fn nothing_is_lost_whichever_system_call_fails() {
    at_every_call("fails with EIO", "error=EIO");
}

#[test]
#[ignore = "needs strace; `just torture` runs it"]
fn nothing_is_lost_whichever_system_call_finds_the_disk_full() {
    at_every_call("fails with ENOSPC", "error=ENOSPC");
}

#[test]
#[ignore = "needs strace; `just torture` runs it"]
fn nothing_is_lost_whichever_system_call_kills() {
    at_every_call("kills", "signal=SIGKILL");
}

fn at_every_call(what: &str, fault: &str) {
    let subject = Subject::new(Kind::Text, STEPS);
    let begun = subject.begun();
    let mut tally = Tally::new(format!("a system call {what}"));
    for call in CALLS {
        for index in 1.. {
            let Some(result) = fails_at(&subject, &begun, call, fault, index) else {
                break;
            };
            let named = |problem| format!("{call} {index}: {problem}");
            tally.count(result.err().map(named));
        }
    }
    tally.end(30);
}

/// What a fault in a call broke; nothing if there are not so many calls.
fn fails_at(
    subject: &Subject,
    (begun, saved): &(BTreeMap<String, Vec<u8>>, u64),
    call: &str,
    fault: &str,
    index: usize,
) -> Option<Result<(), String>> {
    restore(&subject.sandbox.path("hit"), begun);
    let trace = subject.sandbox.path("trace");
    let path = trace.display().to_string();
    let traced = format!("trace={call}");
    let inject = format!("inject={call}:{fault}:when={index}");
    let strace = ["-f", "-qq", "-o", &path, "-e", &traced, "-e", &inject];
    let done = subject.training("hit").under("strace", &strace).run();
    let calls = std::fs::read_to_string(&trace).expect("strace ran");
    let is_hit = calls.contains("(INJECTED)") || calls.contains("killed by SIGKILL");
    if !is_hit {
        assert_eq!(done.code, 0, "{done}");
        return None;
    }
    // A standard output that cannot be written is an error too; a warning is none.
    if !matches!(done.code, 0 | 5 | -1 | 137) {
        return Some(Err(format!("{done}")));
    }
    Some(
        subject
            .newest("hit", *saved)
            .and_then(|_| subject.difference("hit").map_or(Ok(()), Err)),
    )
}
