//! Kills and stops at random moments: the run goes on to the same bytes.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::subject::{Kind, Subject};
use super::tally::Tally;
use super::times;

const STEPS: usize = 60;

/// Numbers in `[0, 1)`; which moments they become depends on the machine as well.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn send(child: &Child, signal: &str) {
    // The process may have ended meanwhile.
    let _ = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .output();
}

/// Disturbs runs of a kind at so many random moments; `disturb` gives what it broke, or nothing if
/// the run had ended before.
fn at_random_moments(
    what: &str,
    kind: Kind,
    n: usize,
    mut disturb: impl FnMut(Child, &mut Random) -> Option<Result<(), String>>,
) {
    let subject = Subject::new(kind, STEPS);
    let begun = Instant::now();
    assert_eq!(subject.difference("timed"), None);
    let mut whole_run = begun.elapsed();
    let mut tally = Tally::new(format!("{what}, {}", kind.name()));
    let mut random = Random(kind as u64 + 1);
    let mut saved = 0;
    let mut made = Duration::ZERO;
    while tally.tried() < n {
        let mut child = subject.training("disturbed").spawn();
        made += wait(&mut child, whole_run.mul_f64(random.draw()));
        let Some(result) = disturb(child, &mut random) else {
            // It is over, or will be.
            if let Some(problem) = subject.difference("disturbed") {
                tally.lose(problem);
            }
            std::fs::remove_dir_all(subject.sandbox.path("disturbed")).unwrap();
            saved = 0;
            // The machine may be busier or freer than it was: most moments should lie within a run.
            whole_run = std::mem::take(&mut made);
            continue;
        };
        let newest = result.and_then(|()| subject.newest("disturbed", saved));
        saved = *newest.as_ref().unwrap_or(&0);
        tally.count(newest.err());
    }
    if let Some(problem) = subject.difference("disturbed") {
        tally.lose(problem);
    }
    tally.end(n);
}

/// Waits so long, or until the process is over, and says how long that was.
fn wait(child: &mut Child, most: Duration) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < most && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    begun.elapsed()
}

fn killed(mut child: Child, _: &mut Random) -> Option<Result<(), String>> {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    match status.code() {
        None => Some(Ok(())),
        Some(0) => None,
        Some(code) => Some(Err(format!("exit code {code}"))),
    }
}

fn stopped(mut child: Child, random: &mut Random) -> Option<Result<(), String>> {
    let (signal, number) = if random.draw() < 0.5 {
        ("TERM", 15)
    } else {
        ("INT", 2)
    };
    if random.draw() < 0.3 {
        send(&child, "USR1");
        std::thread::sleep(Duration::from_millis(2));
    }
    send(&child, signal);
    let status = child.wait().unwrap();
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) if code == 128 + number => Some(Ok(())),
        // So early that the program had not begun to look after signals.
        (None, Some(found)) if found == number || found == 10 => Some(Ok(())),
        _ => Some(Err(format!("{signal}: {status}"))),
    }
}

#[test]
fn runs_killed_at_random_moments_go_on_to_the_same_bytes() {
    for kind in Kind::ALL {
        at_random_moments("killed at random moments", kind, times(4), killed);
    }
}

#[test]
fn runs_stopped_at_random_moments_go_on_to_the_same_bytes() {
    for kind in Kind::ALL {
        at_random_moments("stopped at random moments", kind, times(4), stopped);
    }
}
