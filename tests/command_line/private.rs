//! Private training, from a proposal to a statement.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{PATIENCE, Sandbox};

/// A private configuration on little data of its own.
fn sandbox(more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rows = String::from("label\ttext\n");
    for row in 0..240 {
        let (label, word) = [("ham", "see you"), ("spam", "win now")][row % 2];
        writeln!(rows, "{label}\t{word} {row}").unwrap();
    }
    sandbox.write("private.tsv", &rows);
    sandbox.write(
        "private.toml",
        format!(
            "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"private.tsv\"\ntest = 0.2\nvalid = 0.1\nlabels = [\"ham\", \"spam\"]\n[tokenizer]\nkind = \"bytes\"\nmax_length = 12\n[model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 8\n[train]\nepochs = 3\nbatch_size = 40\nmicro_batch = 16\n[privacy]\nepsilon = 4\ndelta = 1e-3\ndataset_size = 160\n{more}"
        ),
    );
    sandbox
}

/// `serde_json` reads a float to the nearest neighbour but one.
#[track_caller]
fn assert_same(found: &Value, expected: &Value) {
    let parts = |statement: &Value| {
        let mut rest = statement.clone();
        let epsilon = rest["epsilon"].take().as_f64().unwrap();
        let noise = rest["noise_multiplier"].take().as_f64().unwrap();
        (epsilon, noise, rest)
    };
    let ((a, n, found), (b, m, expected)) = (parts(found), parts(expected));
    assert!((a / b - 1.0).abs() < 1e-12 && (n / m - 1.0).abs() < 1e-12);
    assert_eq!(found, expected);
}

const TRAIN: [&str; 6] = ["train", "private.toml", "--out", "run", "--format", "json"];

#[test]
fn a_private_run_ends_with_its_budget_and_says_what_it_promises() {
    let sandbox = sandbox("");
    let done = sandbox.regard(&TRAIN).run().code(0).json();
    assert_eq!(done["steps"], 12);
    let statement = &done["privacy"];
    let epsilon = statement["epsilon"].as_f64().unwrap();
    assert!(epsilon <= 4.0 && epsilon > 3.9, "{epsilon}");
    for (key, expected) in [
        ("unit", "record"),
        ("adjacency", "add-remove"),
        ("sampler", "poisson"),
    ] {
        assert_eq!(statement[key], expected);
    }
    assert_eq!(statement["steps"], 12);
    let spent = |what: &str| {
        let spent = ["privacy", "spent", what, "--format", "json"];
        sandbox.regard(&spent).run().code(0).json()
    };
    assert_same(&spent("run"), statement);
    // The bundle carries it.
    assert_same(&spent("run/bundle"), statement);
    let words = sandbox.regard(&["privacy", "spent", "run"]).run().code(0);
    let promise = "-differentially private for each record, add-remove";
    assert!(words.stdout.contains(promise), "{words}");
    let eval = ["eval", "run", "--format", "json"];
    let eval = sandbox.regard(&eval).run().code(0).json();
    assert_same(&eval["privacy"], statement);

    // Who has the data, all but a record, learns nothing from a hash of it: under a key that stays in the run, it is another
    // in every run.
    let shown = |run: &str, file: &str| {
        let text = String::from_utf8(sandbox.read(&format!("{run}/bundle/{file}"))).unwrap();
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let first = values.next().unwrap().unwrap();
        first["data_fingerprint"].as_str().unwrap().to_owned()
    };
    let twin = [&TRAIN[..3], &["twin"]].concat();
    let _ = sandbox.regard(&twin).run().code(0);
    for file in ["bundle.json", "ledger.jsonl"] {
        assert_ne!(shown("run", file), shown("twin", file));
    }
    assert!(!sandbox.path("run/bundle/fingerprint.key").exists());
    let other = sandbox.read("twin/fingerprint.key");
    sandbox.write("twin/fingerprint.key", other.repeat(2));
    let refused = sandbox.regard(&["eval", "twin"]).run().code(4);
    let told = "fingerprint.key: it has 64 bytes and not 32";
    assert!(refused.stderr.contains(told), "{refused}");

    // No step more, whoever asks.
    let again = sandbox.regard(&TRAIN).run().code(0).json();
    assert_eq!(again["already_complete"], true);
    let set = |setting| [&TRAIN[..], &["--set", setting]].concat();
    let more = sandbox.regard(&set("train.epochs=4")).run().code(4);
    let other = "it counts other steps: the noise multiplier was";
    assert!(more.stderr.contains(other), "{more}");
    // With half of the ledger it would be told that less was spent.
    let ledger = String::from_utf8(sandbox.read("run/ledger.jsonl")).unwrap();
    let half: Vec<&str> = ledger.lines().take(4).collect();
    sandbox.write("run/ledger.jsonl", half.join("\n") + "\n");
    let short = sandbox.regard(&["privacy", "spent", "run"]).run().code(4);
    let told = "ledger.jsonl: it counts 3 steps, and the run has made 12";
    assert!(short.stderr.contains(told), "{short}");
    // Without the ledger nobody knows what was spent.
    std::fs::remove_file(sandbox.path("run/ledger.jsonl")).unwrap();
    let gone = sandbox.regard(&set("train.max_steps=11")).run().code(4);
    assert!(gone.stderr.contains("ledger.jsonl: it is gone"), "{gone}");
}

#[test]
fn steps_that_a_crash_may_have_made_are_spent() {
    let sandbox = sandbox("");
    let short = [&TRAIN[..], &["--set", "train.max_steps=3"]].concat();
    let _ = sandbox.regard(&short).run().code(0);
    let ledger = String::from_utf8(sandbox.read("run/ledger.jsonl")).unwrap();
    let key = sandbox.read("run/fingerprint.key");
    std::fs::remove_dir_all(sandbox.path("run")).unwrap();
    std::fs::create_dir_all(sandbox.path("run")).unwrap();
    sandbox.write("run/fingerprint.key", key);
    // A process wrote down nine steps of more noise than is needed, and died before its first
    // checkpoint.
    let header = ledger.lines().next().unwrap();
    let noise = header.split("\"noise_multiplier\":").nth(1).unwrap();
    let noise = noise.split([',', '}']).next().unwrap();
    let header = header.replace(noise, "50.0");
    let reserved = r#"{"kind":"reserve","schema":1,"steps":9,"spent":9}"#;
    sandbox.write("run/ledger.jsonl", format!("{header}\n{reserved}\n"));
    let done = sandbox.regard(&TRAIN).run().code(0).json();
    assert_eq!(done["steps"], 3, "twelve, of which nine may have been made");
    assert_eq!(done["privacy"]["steps"], 12);
    assert_eq!(done["privacy"]["noise_multiplier"], 50.0);
}

#[test]
fn a_plan_an_audit_and_a_proposal_need_no_training() {
    let sandbox = sandbox("clipping = \"auto-s\"");
    let plan = ["privacy", "plan", "private.toml", "--format", "json"];
    let plan = sandbox.regard(&plan).run().code(0).json();
    assert_eq!(plan["steps"], 12);
    let last = plan["by_epoch"].as_array().unwrap().last().unwrap();
    assert!(last["epsilon"].as_f64().unwrap() <= 4.0);
    let audit = ["audit", "private.toml", "--format", "json"];
    let audit = sandbox.regard(&audit).run().code(0).json();
    assert_eq!(audit["passed"], true, "{audit}");
    assert_eq!(audit["checks"].as_array().unwrap().len(), 9);
    let init = ["init", "--private", "private.tsv", "--dataset-size", "160"];
    let init = [&init[..], &["--labels", "ham,spam"]].concat();
    let proposal = sandbox.regard(&init).run().code(0);
    sandbox.write("proposed.toml", &proposal.stdout);
    let _ = (sandbox.regard(&["privacy", "plan", "proposed.toml"]).run()).code(0);
    let tune = ["tune", "private.toml", "--budget", "20steps"];
    let refused = sandbox.regard(&tune).run().code(2);
    let why = "a search chooses by private data";
    assert!(refused.stderr.contains(why), "{refused}");
}

#[test]
fn all_records_of_a_user_are_in_one_part() {
    let sandbox = sandbox("unit = \"user:who\"\nmax_rows_per_unit = 3");
    let text = String::from_utf8(sandbox.read("private.tsv")).unwrap();
    // Sixty people, each with four records of both labels.
    let rows: String = (text.lines().skip(1).enumerate())
        .map(|(row, line)| format!("{line}\tperson {}\n", row % 60))
        .collect();
    sandbox.write("private.tsv", format!("label\ttext\twho\n{rows}"));
    let check = ["check", "private.toml", "--format", "json"];
    let splits = sandbox.regard(&check).run().code(0).json()["splits"].clone();
    for part in ["train", "valid", "test"] {
        let rows = splits[part]["rows"].as_u64().unwrap();
        assert!(rows > 0 && rows.is_multiple_of(4), "{splits}");
    }
    let done = sandbox.regard(&TRAIN).run().code(0).json();
    assert_eq!(done["privacy"]["unit"], "user:who");
}

#[test]
fn canaries_of_a_run_give_a_lower_bound_below_its_promise() {
    let sandbox = sandbox("audit_canaries = 200");
    let _ = sandbox.regard(&TRAIN).run().code(0);
    let audit = ["audit", "run", "--format", "json"];
    let audit = sandbox.regard(&audit).run().code(0).json();
    let number = |name: &str| audit[name].as_f64().unwrap();
    assert!(number("epsilon_lower") <= number("epsilon_claimed"));
    assert_eq!(audit["guesses"]["canaries"], 200);
    let none = [&TRAIN[..3], &["none", "--set", "privacy.audit_canaries=10"]].concat();
    let _ = sandbox.regard(&none).run().code(0);
    std::fs::remove_file(sandbox.path("none/audit.json")).unwrap();
    let refused = sandbox.regard(&["audit", "none"]).run().code(2);
    let why = "no canaries were planted; set privacy.audit_canaries";
    assert!(refused.stderr.contains(why), "{refused}");
}

#[test]
fn a_model_that_starts_from_a_private_one_counts_what_that_spent() {
    let sandbox = sandbox("");
    let noisy = ["--set", "privacy.noise_multiplier=1.5"];
    let text = String::from_utf8(sandbox.read("private.toml")).unwrap();
    sandbox.write("noise.toml", text.replace("epsilon = 4\n", ""));
    let train = |config: &str, out: &str, more: &[&str]| {
        let all = [&["train", config, "--out", out, "--format", "json"], more].concat();
        sandbox.regard(&all).run()
    };
    let parent = train("noise.toml", "parent", &noisy).code(0).json();
    let from = ["--set", "train.init_from=parent"];
    let child = train("noise.toml", "child", &[&noisy[..], &from].concat())
        .code(0)
        .json();
    let epsilon = |report: &Value| report["privacy"]["epsilon"].as_f64().unwrap();
    // The same steps twice over are one training of twice as many.
    let twice = [
        "privacy",
        "epsilon",
        "--noise-multiplier",
        "1.5",
        "--sample-rate",
        "0.25",
    ];
    let twice = [
        &twice[..],
        &["--steps", "24", "--delta", "1e-3", "--format", "json"],
    ]
    .concat();
    let twice = sandbox.regard(&twice).run().code(0).json();
    let twice = twice["epsilon"].as_f64().unwrap();
    assert!(
        (epsilon(&child) / twice - 1.0).abs() < 1e-3,
        "{child} {twice}"
    );
    assert!(epsilon(&child) > 1.2 * epsilon(&parent));
    // A budget is for all of them together; and a grandchild knows both.
    let from = ["--set", "train.init_from=child"];
    let grandchild = train("private.toml", "grandchild", &from).code(0).json();
    assert!(epsilon(&grandchild) <= 4.0 && epsilon(&grandchild) > 3.9);
    let parents = grandchild["privacy"]["parents"].as_array().unwrap();
    let paths: Vec<&str> = parents
        .iter()
        .map(|p| p["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["child", "parent"]);
    let spent = sandbox
        .regard(&["privacy", "spent", "grandchild"])
        .run()
        .code(0)
        .stdout;
    assert!(
        spent.contains("started from parent: its 12 steps at a rate of 0.25000"),
        "{spent}"
    );
    // Too late for less; and what protects other units cannot be added up.
    let less = [&from[..], &["--set", "privacy.epsilon=0.5"]].concat();
    let less = train("private.toml", "less", &less).code(2);
    assert!(less.stderr.contains("epsilon"), "{less}");
    let user = [
        "--set",
        "privacy.unit=user:label",
        "--set",
        "privacy.max_rows_per_unit=2",
    ];
    let user = train("private.toml", "user", &[&from[..], &user].concat()).code(2);
    assert!(
        user.stderr.contains("what they spend cannot be added up"),
        "{user}"
    );
    // Without [privacy] nothing is promised, and that is said.
    let plain: String = text.split("[privacy]").next().unwrap().to_owned();
    sandbox.write("plain.toml", plain);
    let plain = train("plain.toml", "plain", &from).code(0);
    assert!(
        plain
            .stderr
            .contains("what comes from this run promises none"),
        "{plain}"
    );
}

/// How often the run below is killed; `REGARD_KILLS` says how often in the long form.
fn kills() -> u64 {
    std::env::var("REGARD_KILLS").map_or(4, |text| text.parse().unwrap())
}

#[test]
fn a_run_killed_at_random_moments_never_forgets_a_step_that_was_seen() {
    let sandbox = sandbox("");
    let epochs = format!("train.epochs={}", 30 + 4 * kills());
    let train = |more: &[&str]| {
        let long = ["--set", &epochs, "--set", "eval.every=20"];
        let often = ["--set", "checkpoint.every_steps=7"];
        sandbox.regard(&[&TRAIN[..], &long, &often, more].concat())
    };
    let log = || {
        let text = std::fs::read_to_string(sandbox.path("run/events.jsonl"));
        let text = text.unwrap_or_default();
        let steps = text.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["kind"] == "train").then(|| event["step"].as_u64())?
        });
        steps.max().unwrap_or(0)
    };
    let spent = || {
        let text = std::fs::read_to_string(sandbox.path("run/ledger.jsonl"));
        let text = text.unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let last = whole.lines().last().unwrap_or("{}");
        let line: Value = serde_json::from_str(last).unwrap();
        line["spent"].as_u64().unwrap_or(0)
    };
    let (mut seen, mut before) = (0, 0);
    for kill in 0..kills() {
        let mut child = train(&[]).spawn();
        let begun = Instant::now();
        // A moment after some more steps: in the middle of one, of a reservation, of a save.
        let target = log() + 1 + kill * 7 % 11;
        while log() < target && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE);
            seen = seen.max(log());
        }
        std::thread::sleep(Duration::from_micros(kill * 1913 % 9000));
        child.kill().unwrap();
        child.wait().unwrap();
        seen = seen.max(log());
        assert!(spent() >= seen, "killed {kill}: {} < {seen}", spent());
        assert!(spent() >= before, "killed {kill}");
        before = spent();
    }
    let planned = ["privacy", "plan", "private.toml", "--set", &epochs];
    let planned = sandbox.regard(&[&planned[..], &["--format", "json"]].concat());
    let planned = planned.run().code(0).json()["steps"].as_u64().unwrap();
    assert!(before < planned, "the run is long enough for so many kills");
    let done = train(&[]).run().code(0).json();
    assert_eq!(done["privacy"]["steps"], planned);
    assert!(done["privacy"]["epsilon"].as_f64().unwrap() <= 4.0);
    // What crashes cost was never made.
    assert!(done["steps"].as_u64().unwrap() <= planned);
    println!(
        "killed {} times, {} of {planned} steps made",
        kills(),
        done["steps"]
    );
}
