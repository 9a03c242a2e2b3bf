//! The page of a run of series.

use super::{config, table};
use crate::report::unbalanced;
use crate::support::Sandbox;

#[test]
fn the_page_shows_forecasts_and_scores_and_asks_for_nothing() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    sandbox.write(
        "windows.csv",
        "start,end\n2024-01-13T12:00,2024-01-13T21:00\n",
    );
    let anomaly = "[anomaly]\nwindows = \"windows.csv\"\nsmooth = 4\nsmoothing = \"around\"\n";
    config(&sandbox, "series-anomaly", anomaly);
    sandbox
        .regard(&["train", "series.toml", "--out", "scored"])
        .run()
        .code(0);
    config(
        &sandbox,
        "series-forecasting",
        "[eval]\nmetric = \"pinball\"\n",
    );
    let quantiles = "model.quantiles=[0.1, 0.5, 0.9]";
    let train = ["train", "series.toml", "--out", "told", "--set", quantiles];
    sandbox.regard(&train).run().code(0);
    let page = |run: &str| String::from_utf8(sandbox.read(&format!("{run}/report.html"))).unwrap();
    for run in ["told", "scored"] {
        let html = page(run);
        for part in [
            "<script", "http:", "https:", "url(", "@import", "src=", "NaN",
        ] {
            assert!(!html.contains(part), "{run}: {part}");
        }
        for part in [
            "best window, load",
            "worst window, heat",
            "Error by step",
            "Beside no model",
        ] {
            assert!(html.contains(part), "{run}: {part}");
        }
        assert_eq!(unbalanced(&html), Vec::<String>::new());
    }
    assert!(page("told").contains("0.1 to 0.9"));
    assert!(page("scored").contains("Scores over time") && page("scored").contains("labelled"));
    let beside = sandbox.regard(&["eval", "scored", "--baselines", "--format", "json"]);
    let beside = beside.run().code(0).json();
    let names: Vec<&str> = (beside["baselines"].as_array().unwrap().iter())
        .map(|baseline| baseline["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["level", "season", "season, smoothed"]);
    // Values of the data stay out where the configuration says so.
    let mut hidden = train.to_vec();
    hidden[3] = "hidden";
    hidden.extend(["--set", "report.examples=false"]);
    sandbox.regard(&hidden).run().code(0);
    assert!(!page("hidden").contains("best window"));
}
