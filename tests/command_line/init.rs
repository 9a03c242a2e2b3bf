//! What `init` proposes for series, and what it refuses.

use std::fmt::Write as _;

use crate::support::Sandbox;

/// Hours with one wave of a day.
fn hours(before: &str, rows: u32, row: impl Fn(u32) -> String) -> String {
    (0..rows).fold(String::new(), |mut text, hour| {
        let (day, of_day) = (1 + hour / 24, hour % 24);
        let (month, day) = (1 + (day - 1) / 28, 1 + (day - 1) % 28);
        let _ = writeln!(
            text,
            "{before}2024-{month:02}-{day:02} {of_day:02}:00,{}",
            row(hour)
        );
        text
    })
}

fn wave(hour: u32) -> String {
    let angle = f64::from(hour) * std::f64::consts::TAU / 24.0;
    format!("{:.3}", 10.0 + angle.sin() + f64::from(hour % 7) / 9.0)
}

/// Shapes of files that people have.
#[test]
fn what_init_proposes_of_series_passes_the_check() {
    let sandbox = Sandbox::new();
    let panel: String = [300, 300, 200, 40, 12, 3, 1]
        .into_iter()
        .enumerate()
        .map(|(id, rows)| hours(&format!("s{id},"), rows, wave))
        .collect();
    let index: String = (hours("", 300, wave).lines().enumerate())
        .map(|(row, line)| format!("{row},{line},7,\n"))
        .collect();
    let wide: String = (0..60)
        .map(|row| {
            let n_steps = 10 + row % 11;
            let steps: String = (0..20)
                .map(|step| match step < n_steps {
                    true => format!("{},", (step + row) % 5),
                    false => ",".to_owned(),
                })
                .collect();
            format!("{steps}{}\n", ["a", "b"][row as usize % 2])
        })
        .collect();
    let steps: String = (0..20).map(|step| format!("t{step},")).collect();
    for (name, content, task) in [
        ("panel", format!("id,date,x\n{panel}"), "series-forecasting"),
        ("panel", format!("id,date,x\n{panel}"), "series-anomaly"),
        (
            "index",
            format!(",date,0,x1,x2\n{index}"),
            "series-forecasting",
        ),
        (
            "wide",
            format!("{steps}label\n{wide}"),
            "series-classification",
        ),
    ] {
        let file = format!("{name}.csv");
        sandbox.write(&file, content);
        let proposed = sandbox.regard(&["init", &file, "--task", task]).run();
        sandbox.write("proposed.toml", proposed.code(0).stdout);
        let check = [
            "check",
            "proposed.toml",
            "--threads",
            "2",
            "--format",
            "json",
        ];
        let done = sandbox.regard(&check).run();
        assert_eq!(done.code, 0, "{name} for {task}: {done}");
        let steps = done.json()["model"]["steps"].as_u64().unwrap();
        let text = String::from_utf8(sandbox.read("proposed.toml")).unwrap();
        assert!(
            text.contains(&format!("  # {steps} steps\n")),
            "{steps}\n{text}"
        );
    }
}

#[test]
fn what_cannot_be_proposed_is_refused_with_what_was_looked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("hours.csv", format!("date,x\n{}", hours("", 200, wave)));
    sandbox.write(
        "bad.csv",
        format!("date,x\n{}2024-09-01,oops\n", hours("", 200, wave)),
    );
    sandbox.write(
        "texts.csv",
        "label,text\n".to_owned() + &"a,one of many words\nb,another one of them\n".repeat(9),
    );
    sandbox.write("lines.txt", "date,x\n2024-01-01,5\n");
    for (arguments, code, wanted) in [
        (
            &["hours.csv", "--task", "series-classification"][..],
            3,
            "needs a label for each series",
        ),
        (
            &["texts.csv", "--task", "series-forecasting"],
            3,
            "found \"label\" (words), \"text\" (texts)",
        ),
        (
            &["bad.csv"],
            3,
            "bad.csv line 202: \"oops\" in column \"x\" is no number",
        ),
        (&["lines.txt"], 3, "give --input-format"),
        (&["hours.csv", "--test", "nosuch.csv"], 3, "nosuch.csv"),
        (&["texts.csv", "--valid", "nosuch.csv"], 3, "nosuch.csv"),
        (
            &[
                "hours.csv",
                "--task",
                "series-forecasting",
                "--text-column",
                "x",
            ],
            2,
            "--text-column is of no use for series-forecasting",
        ),
    ] {
        let done = sandbox.regard(&[&["init"], arguments].concat()).run();
        assert_eq!(done.code, code, "{arguments:?}: {done}");
        assert!(done.stderr.contains(wanted), "{arguments:?}: {done}");
        assert!(done.stdout.is_empty(), "{done}");
    }
}

#[test]
fn a_private_proposal_refuses_what_cannot_be_or_is_of_no_use() {
    let sandbox = Sandbox::new();
    sandbox.write("a.csv", "when,who,load,label\n");
    sandbox.write("data.csv", "2024-01-01,5\n");
    let forecast = ["--task", "series-forecasting"];
    let classes = ["--task", "series-classification"];
    for (file, task, more, code, wanted) in [
        (
            "a.csv",
            forecast,
            ["--dataset-size", "0"],
            2,
            "0 is not in 1..",
        ),
        (
            "a.csv",
            classes,
            ["--max-length", "0"],
            2,
            "0 is not in 1..",
        ),
        (
            "a.csv",
            classes,
            ["--labels", "fast"],
            2,
            "two labels or more",
        ),
        (
            "a.csv",
            classes,
            ["--labels", "fast,fast"],
            2,
            "not empty and differ",
        ),
        (
            "a.csv",
            forecast,
            ["--labels", "fast,slow"],
            2,
            "--labels is of no use",
        ),
        (
            "a.csv",
            forecast,
            ["--max-length", "5"],
            2,
            "--max-length is of no use",
        ),
        (
            "a.csv",
            classes,
            ["--tokenizer", "t.json"],
            2,
            "--tokenizer is of no use",
        ),
        (
            "a.csv",
            classes,
            ["--label-column", "nope"],
            3,
            "no column \"nope\"",
        ),
        (
            "data.csv",
            forecast,
            ["--dataset-size", "500"],
            3,
            "looks like data",
        ),
    ] {
        let arguments = [&["init", "--private", file], &task[..], &more[..]].concat();
        let done = sandbox.regard(&arguments).run();
        assert_eq!(done.code, code, "{arguments:?}: {done}");
        assert!(done.stderr.contains(wanted), "{arguments:?}: {done}");
        assert!(!done.stderr.contains("2024-01-01"), "{done}");
    }
}

#[test]
fn a_private_proposal_for_anomalies_with_a_public_file_is_whole() {
    let sandbox = Sandbox::new();
    let rows = (0..120).fold(String::new(), |rows, id| {
        rows + &hours(&format!("m{id},"), 80, wave)
    });
    sandbox.write("private.csv", format!("meter,time,load\n{rows}"));
    let public = hours("p,", 80, wave);
    sandbox.write("public.csv", format!("meter,time,load\n{public}"));
    let init = [
        "init",
        "--private",
        "private.csv",
        "--task",
        "series-anomaly",
        "--valid",
        "public.csv",
        "--dataset-size",
        "120",
    ];
    let proposal = sandbox.regard(&init).run().code(0).stdout;
    assert!(proposal.contains("train = 0.8\ntest = 0.2\n"), "{proposal}");
    assert!(proposal.contains("series of 75 rows or more"), "{proposal}");
    sandbox.write("p.toml", proposal);
    let check = ["check", "p.toml", "--threads", "2"];
    sandbox.regard(&check).run().code(0);
}
