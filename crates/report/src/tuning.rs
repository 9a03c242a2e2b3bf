//! The page of a search for settings.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::chart::{Axis, Colour, Dots, LineChart, ScatterChart, Series, Tick, log_axis};
use crate::number::{MISSING, count, duration, figure};
use crate::page::{Page, Section};
use crate::table::{Column, Table};

/// Trials that the table shows at once; the rest can be unfolded.
const MOST_SHOWN: usize = 40;
/// More values than this are no kinds to stand side by side on an axis.
const MOST_KINDS: usize = 12;

/// What a search found, as plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningReport {
    /// The name of what was tuned.
    pub name: String,
    /// The figure that trials were compared by.
    pub metric: String,
    /// What the search was allowed, as it was said.
    pub budget: String,
    /// What the runs took, in seconds.
    pub seconds: f64,
    /// The rungs, the shortest first.
    pub rungs: Vec<TuningRung>,
    /// The keys that were searched.
    pub keys: Vec<TuningKey>,
    /// The trials, the best first.
    pub trials: Vec<TuningTrial>,
    /// What the configuration as it stood reached on the rung of the best trial, if it came so far.
    pub base_value: Option<f64>,
    /// The commands that come next, each with a sentence before it.
    pub next: Vec<(String, String)>,
    /// The command that makes this search.
    pub command: String,
    /// The program and its version.
    pub version: String,
}

/// A rung: some trials, each trained for a number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningRung {
    /// The trials that were to train on it.
    pub trials: usize,
    /// The steps of each.
    pub steps: u64,
}

/// A key that was searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningKey {
    /// Its path.
    pub path: String,
    /// Its values, as the configuration has them.
    pub range: String,
    /// Whether ratios count, and not differences.
    pub is_log: bool,
    /// Whether its values are some kinds, and not all numbers between two.
    pub is_choice: bool,
    /// What the configuration had set.
    pub before: TuningValue,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningValue {
    /// As the configuration has it.
    pub text: String,
    /// As a number, where it is one.
    pub number: Option<f64>,
}

/// A trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningTrial {
    /// Its number; 0 is the configuration as it stood.
    pub number: usize,
    /// The value of each key that was searched, in their order.
    pub values: Vec<TuningValue>,
    /// The metric on each rung that it reached; none where it failed.
    pub results: Vec<Option<f64>>,
    /// Why it failed, if it did.
    pub failed: Option<String>,
}

impl TuningTrial {
    /// What it reached last.
    fn last(&self) -> Option<f64> {
        self.results.last().copied().flatten()
    }
}

impl TuningReport {
    /// The page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = Page::new(self.name.clone())
            .with_kicker("Search for settings")
            .with_lead(self.lead())
            .with_section(Section::new("best", "Best settings", self.best_settings()));
        if self.rungs.len() > 1 {
            page = page.with_section(Section::new("course", "Course", self.course()));
        }
        page.with_section(Section::new("keys", "What each key does", self.keys()))
            .with_section(Section::new("trials", "Trials", self.table()))
            .with_section(Section::new("next", "What to do next", self.next()))
            .with_footer(html! {
                p { "Made by " (self.version) " with " code { (self.command) } "." }
            })
            .render()
    }

    fn best(&self) -> Option<&TuningTrial> {
        self.trials.first()
    }

    fn lead(&self) -> Markup {
        let Some(best) = self.best() else {
            return html! { p.lead { "No trial came to its end." } };
        };
        let steps = best.results.len().checked_sub(1);
        let steps = steps
            .and_then(|rung| self.rungs.get(rung))
            .map_or(0, |rung| rung.steps);
        let metric = &self.metric;
        let n_trials = self.trials.len();
        let n_runs: usize = self.trials.iter().map(|trial| trial.results.len()).sum();
        html! {
            p.lead {
                @if best.number == 0 {
                    "Of " (count(n_trials as u64)) " trials none was better than the configuration as it stood: validation "
                    (metric) " " (value(best.last())) " after " (count(steps)) " steps."
                } @else {
                    "Trial " (best.number) " of " (count(n_trials as u64)) " is the best: validation " (metric) " "
                    (value(best.last())) " after " (count(steps)) " steps"
                    @if let Some(base) = self.base_value {
                        ", where the configuration as it stood reached " (figure(base))
                    }
                    "."
                }
            }
            p.note {
                "The best of many looks better on the data that chose it than it is: part of its lead is luck. "
                "Judge it on test data, which this search has not used."
            }
            dl.figures {
                div { dt { "Best validation " (metric) } dd { (value(best.last())) } }
                div { dt { "Trials" } dd { (count(n_trials as u64)) small { (count(n_runs as u64)) " runs" } } }
                div { dt { "Rungs" } dd { (self.rungs.len()) small { (self.shape()) } } }
                div { dt { "Time" } dd { (duration(self.seconds)) small { "budget " (self.budget) } } }
            }
        }
    }

    fn shape(&self) -> String {
        let rungs = self.rungs.iter();
        let parts = rungs.map(|rung| format!("{} × {}", rung.trials, count(rung.steps)));
        format!("{} steps", parts.collect::<Vec<_>>().join(", "))
    }

    fn best_settings(&self) -> Markup {
        let columns = ["Key", "Best", "Before", "Searched"].map(Column::text);
        let mut table = Table::new("Best settings", columns);
        let values = self.best().map_or(&[][..], |best| &best.values);
        for (key, value) in self.keys.iter().zip(values) {
            let differs = value.text != key.before.text;
            table = table.with_row([
                html! { code { (key.path) } },
                html! { @if differs { strong { (value.text) } } @else { (value.text) } },
                html! { span.muted { (key.before.text) } },
                html! { span.muted { (key.range) } },
            ]);
        }
        html! { (table) }
    }

    /// How trials fell out: a line for each that went on, a dot for each that did not.
    fn course(&self) -> Markup {
        let steps = |rung: usize| {
            let steps = self.rungs.get(rung).map_or(1, |rung| rung.steps.max(1));
            (steps as f64).log10()
        };
        let rungs = 0..self.rungs.len();
        let ticks = rungs.map(|rung| Tick {
            at: steps(rung),
            text: count(self.rungs[rung].steps),
        });
        let (low, high) = (steps(0), steps(self.rungs.len() - 1));
        let room = 0.06 * (high - low);
        let x = Axis::with_ticks("steps", low - room, high + room, ticks);
        let finished = self.trials.iter().flat_map(|trial| &trial.results);
        let y = Axis::rounded(self.metric.clone(), finished.copied().flatten());
        let mut chart = LineChart::new("Trials on the rungs", x, y).wide();
        let points = |trial: &TuningTrial| {
            let results = trial.results.clone().into_iter().enumerate();
            let points = results.filter_map(|(rung, value)| Some((steps(rung), value?)));
            points.collect::<Vec<_>>()
        };
        let number = |trial: &TuningTrial| match trial.number {
            0 => "as configured".to_owned(),
            number => format!("trial {number}"),
        };
        let best = self.best();
        // The best over the others, and what the configuration did over what it was left for.
        let rest = self.trials.iter().skip(1).filter(|trial| trial.number != 0);
        for trial in rest {
            let series = Series::new("", points(trial)).with_colour(Colour::Muted);
            chart = chart.with_series(series.with_dots().faint());
        }
        let base = self.trials.iter().skip(1).find(|trial| trial.number == 0);
        for (trial, colour) in [(base, Colour::Series(1)), (best, Colour::Series(0))] {
            if let Some(trial) = trial {
                let series = Series::new(number(trial), points(trial)).with_colour(colour);
                chart = chart.with_series(series.with_dots());
            }
        }
        let chart = chart.with_note(
            "Each rung trains its trials afresh, with the whole course of the learning rate; the best third go on to \
             the next one.",
        );
        html! { (chart.figure()) }
    }

    /// The metric on the first rung, where all trials can be compared, against each key.
    fn keys(&self) -> Markup {
        let steps = self.rungs.first().map_or(0, |rung| rung.steps);
        html! {
            p.muted {
                "Validation " (self.metric) " after " (count(steps)) " steps, on the first rung, where all trials can be compared. "
                "Other keys differ between the dots too: a trend is a hint, a single dot is none."
            }
            div.charts {
                @for (index, key) in self.keys.iter().enumerate() { (self.scatter(index, key)) }
            }
        }
    }

    fn scatter(&self, index: usize, key: &TuningKey) -> Markup {
        let kinds = self.kinds(index, key);
        let place = |trial: &TuningTrial| -> Option<f64> {
            let value = trial.values.get(index)?;
            match &kinds {
                Some(kinds) => {
                    let kind = kinds.iter().position(|kind| *kind == value.text)?;
                    // Side by side, or dots of one kind would hide each other.
                    let aside = (trial.number as f64 * 0.618_034).fract() - 0.5;
                    Some(kind as f64 + 0.4 * aside)
                }
                None if key.is_log => value.number.filter(|number| *number > 0.0).map(f64::log10),
                None => value.number,
            }
        };
        let point = |trial: &TuningTrial| Some((place(trial)?, trial.results.first().copied()??));
        let numbers = || {
            let values = self
                .trials
                .iter()
                .filter_map(|trial| trial.values.get(index));
            values.filter_map(|value| value.number)
        };
        let x = match &kinds {
            Some(kinds) => {
                let ticks = kinds.iter().enumerate().map(|(at, text)| Tick {
                    at: at as f64,
                    text: text.trim_matches('"').chars().take(12).collect(),
                });
                Axis::with_ticks(key.path.clone(), -0.6, kinds.len() as f64 - 0.4, ticks)
            }
            None if key.is_log => log_axis(key.path.clone(), numbers()),
            None => Axis::rounded(key.path.clone(), numbers()),
        };
        let firsts = self.trials.iter().filter_map(|trial| trial.results.first());
        let y = Axis::rounded(self.metric.clone(), firsts.copied().flatten());
        let group = |wanted: &dyn Fn(usize, &TuningTrial) -> bool| -> Vec<(f64, f64)> {
            let trials = self.trials.iter().enumerate();
            trials
                .filter(|(rank, trial)| wanted(*rank, trial))
                .filter_map(|(_, trial)| point(trial))
                .collect()
        };
        let went_on = |trial: &TuningTrial| trial.results.len() > 1;
        let is_base = |trial: &TuningTrial| trial.number == 0;
        let fell = group(&|rank, trial| rank > 0 && !went_on(trial) && !is_base(trial));
        let others = group(&|rank, trial| rank > 0 && went_on(trial) && !is_base(trial));
        let base = group(&|rank, trial| rank > 0 && is_base(trial));
        let best = group(&|rank, _| rank == 0);
        let name = key.path.rsplit('.').next().unwrap_or(&key.path);
        ScatterChart::new(name, x, y)
            .with_dots(Dots::new("ended here", Colour::Muted, fell).faint())
            .with_dots(Dots::new("went on", Colour::Series(2), others))
            .with_dots(Dots::new("as configured", Colour::Series(1), base))
            .with_dots(Dots::new("best", Colour::Series(0), best))
            .figure()
    }

    /// The kinds of a key's values in their order, where they are few and no numbers to be spread out.
    fn kinds(&self, index: usize, key: &TuningKey) -> Option<Vec<String>> {
        let values = self
            .trials
            .iter()
            .filter_map(|trial| trial.values.get(index));
        let mut values: Vec<&TuningValue> = values.collect();
        if !key.is_choice && values.iter().all(|value| value.number.is_some()) {
            return None;
        }
        values.sort_by(|a, b| match (a.number, b.number) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.text.cmp(&b.text),
        });
        let mut kinds: Vec<String> = values.into_iter().map(|value| value.text.clone()).collect();
        kinds.dedup();
        let spread = kinds.len() > MOST_KINDS && key.before.number.is_some();
        (!spread).then_some(kinds)
    }

    fn table(&self) -> Markup {
        let rows = |trials: &[TuningTrial]| {
            let rungs = self.rungs.iter();
            let columns =
                std::iter::once(Column::number("Trial"))
                    .chain(rungs.map(|rung| Column::number(format!("{} steps", count(rung.steps)))))
                    .chain(self.keys.iter().map(|key| {
                        Column::number(key.path.rsplit('.').next().unwrap_or(&key.path))
                    }));
            let mut table = Table::new("Trials, the best first", columns);
            for trial in trials {
                table = table.with_row(self.row(trial));
            }
            table
        };
        let (first, rest) = self.trials.split_at(self.trials.len().min(MOST_SHOWN));
        let failed: Vec<&TuningTrial> = (self.trials.iter())
            .filter(|trial| trial.failed.is_some())
            .collect();
        html! {
            p.muted { "Validation " (self.metric) " on each rung, the best trial first. Trial 0 is the configuration as it stood." }
            (rows(first))
            @if !rest.is_empty() {
                details {
                    summary { (count(rest.len() as u64)) " more trials" }
                    (rows(rest))
                }
            }
            @if !failed.is_empty() {
                details {
                    summary { (count(failed.len() as u64)) " failed" }
                    div.inside {
                        @for trial in failed {
                            p { "Trial " (trial.number) ": " (trial.failed.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }

    fn row(&self, trial: &TuningTrial) -> Vec<Markup> {
        let result = |rung: usize| match trial.results.get(rung) {
            Some(Some(value)) => html! { (figure(*value)) },
            Some(None) => html! { span.bad { "failed" } },
            None => html! { span.muted { (MISSING) } },
        };
        let mut cells = vec![html! { (trial.number) }];
        cells.extend((0..self.rungs.len()).map(result));
        cells.extend(trial.values.iter().map(|value| html! { (value.text) }));
        cells
    }

    fn next(&self) -> Markup {
        html! {
            @for (why, command) in &self.next {
                p { (why) }
                pre { (command) }
            }
        }
    }
}

/// A metric, or that there is none.
fn value(value: Option<f64>) -> String {
    value.map_or_else(|| MISSING.to_owned(), figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(text: &str) -> TuningValue {
        TuningValue {
            text: text.to_owned(),
            number: text.parse().ok(),
        }
    }

    fn report() -> TuningReport {
        let key = |path: &str, is_log, is_choice, before: &str| TuningKey {
            path: path.to_owned(),
            range: "[…]".to_owned(),
            is_log,
            is_choice,
            before: value_of(before),
        };
        let trial = |number, rate: &str, pooling: &str, results: &[Option<f64>]| TuningTrial {
            number,
            values: vec![value_of(rate), value_of(pooling)],
            results: results.to_vec(),
            failed: results
                .contains(&None)
                .then(|| "the <loss> became NaN".to_owned()),
        };
        TuningReport {
            name: "spam".to_owned(),
            metric: "accuracy".to_owned(),
            budget: "20m".to_owned(),
            seconds: 1180.0,
            rungs: vec![
                TuningRung {
                    trials: 3,
                    steps: 50,
                },
                TuningRung {
                    trials: 1,
                    steps: 1150,
                },
            ],
            keys: vec![
                key("train.learning_rate", true, false, "0.0005"),
                key("model.pooling", false, true, "\"mean\""),
            ],
            trials: vec![
                trial(2, "0.00113", "\"max\"", &[Some(0.91), Some(0.9812)]),
                trial(0, "0.0005", "\"mean\"", &[Some(0.9)]),
                trial(1, "0.003", "\"<first>\"", &[None]),
            ],
            base_value: None,
            next: vec![("Train it:".to_owned(), "regard train best.toml".to_owned())],
            command: "regard tune spam.toml --budget 20m".to_owned(),
            version: "regard 0.1.0".to_owned(),
        }
    }

    #[test]
    fn the_page_says_what_was_found_and_what_to_beware_of() {
        let html = report().to_html();
        for part in [
            "Trial 2 of 3 is the best: validation accuracy 0.9812 after 1,150 steps.",
            "The best of many looks better on the data that chose it",
            "Judge it on test data",
            "<strong>0.00113</strong>",
            "<td class=\"number\"><span class=\"bad\">failed</span></td>",
            "Trial 1: the &lt;loss&gt; became NaN",
            "&lt;first&gt;",
            "<pre>regard train best.toml</pre>",
            "id=\"course\"",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
        for none in ["<first>", "http", "<script"] {
            assert!(!html.contains(none), "{none}");
        }
    }

    #[test]
    fn a_search_that_found_nothing_better_says_so() {
        let mut report = report();
        report.trials.swap(0, 1);
        let html = report.to_html();
        let part = "Of 3 trials none was better than the configuration as it stood: validation accuracy 0.9000";
        assert!(html.contains(part), "{html}");
        report.trials.clear();
        assert!(report.to_html().contains("No trial came to its end."));
    }

    #[test]
    fn five_hundred_trials_are_a_page_that_loads_on_a_phone() {
        let mut report = report();
        let trial = report.trials[1].clone();
        report.trials.extend((3..500).map(|number| TuningTrial {
            number,
            ..trial.clone()
        }));
        let html = report.to_html();
        assert!(html.contains("460 more trials"), "{}", &html[..2000]);
        assert!(html.len() < 500_000, "{}", html.len());
    }
}
