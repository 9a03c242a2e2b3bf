//! A finished run looked back at: its data, how good its model is, where it errs and on what its answers
//! rest.

use burn::module::Module;
use regard_bundle::{Bundle, BundleInfo, ClassPrediction, Explanation, TextClassifier};
use regard_data::Labels;

use crate::config::{self, Config};
use crate::error::TrainError;
use crate::evaluate::evaluate;
use crate::evaluate_run::Judge;
use crate::privacy::require_same_data;
use crate::run::RunSettings;
use crate::task::text_parts::TextParts;
use crate::task::{Baselines, Evaluation, SeriesClassification, Split, Task};

/// Texts of a part whose length in tokens is counted: enough for a histogram, soon done for any part.
const MOST_MEASURED: usize = 5_000;
/// Mistakes that are kept, the surest.
const MOST_MISTAKES: usize = 12;
/// Mistakes whose tokens are looked at, and classes of which a right answer is.
const EXPLAINED_MISTAKES: usize = 2;
const EXPLAINED_CLASSES: usize = 3;
/// The lengths of texts that a person reads with pleasure, in characters.
const READABLE: std::ops::RangeInclusive<usize> = 40..=280;

/// A finished run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunDescription {
    /// The run's configuration.
    pub config: Config,
    /// What its bundle is.
    pub info: BundleInfo,
    /// The trained numbers of its model.
    pub n_parameters: usize,
    /// The parts of its data: training, validation, and test if there is one.
    pub parts: Vec<PartDescription>,
    /// The model on its test data, or on its validation data if there is no test data.
    pub evaluation: Evaluation,
    /// The surest mistakes, the surest first; none if the configuration keeps texts out of reports.
    pub mistakes: Vec<JudgedText>,
    /// What is reached on the test data without a model; none if nobody looked.
    pub baselines: Option<Baselines>,
    /// What some answers rest on: right ones of the first classes, then mistakes; none if the
    /// configuration keeps texts out of reports.
    pub explained: Vec<(JudgedText, Explanation)>,
}

/// A part of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartDescription {
    /// Which.
    pub split: Split,
    /// The number of texts of each class.
    pub class_counts: Vec<u64>,
    /// The number of tokens of texts spread evenly over the part, at most 5,000.
    pub lengths: Vec<u32>,
    /// How many of these were cut off.
    pub n_cut: u64,
}

/// A text and what the model says of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JudgedText {
    /// The text.
    pub text: String,
    /// Its class.
    pub truth: usize,
    /// The class that the model gives it.
    pub predicted: usize,
    /// The probability of that class.
    pub probability: f64,
}

/// Looks back at the finished run in the settings' folder.
///
/// # Errors
///
/// If there is no finished run, or its data can no longer be read or has changed.
pub fn describe_run(settings: &RunSettings) -> Result<RunDescription, TrainError> {
    let bundle = Bundle::load(&settings.folder, &settings.device)?;
    let config = config::load::<&str>(&settings.folder.join("config.toml"), &[])?;
    let info = bundle.info().clone();
    match config.task {
        config::Task::TextClassification => {}
        config::Task::SeriesClassification => return describe_classes(bundle, config, settings),
        _ => {
            return Err(TrainError::TextAlone {
                what: "this page of a run",
                task: info.task,
            });
        }
    }
    let labels = Labels::new(info.labels.clone())?;
    let parts = TextParts::read(&config, Some(&labels))?;
    require_same_data(
        &config,
        &settings.folder,
        &parts.fingerprint,
        &info.data_fingerprint,
    )?;
    let classifier = bundle
        .into_text_classifier()?
        .with_workers(settings.workers);
    let judged = if parts.has(Split::Test) {
        Split::Test
    } else {
        Split::Valid
    };
    let mut examples = Examples::new(config.report.examples);
    let mut judge = Judge::new(
        &classifier,
        |text: &str, truth, prediction: &ClassPrediction| {
            examples.see(text, truth, prediction);
        },
    );
    let mut described: Vec<PartDescription> = Split::ALL
        .into_iter()
        .filter(|split| parts.has(*split))
        .map(|split| part(split, &parts.classes(split), labels.len()))
        .collect();
    let sizes: Vec<u64> = described
        .iter()
        .map(|part| part.class_counts.iter().sum())
        .collect();
    parts.visit(&Split::ALL, |text| {
        for (part, size) in described.iter_mut().zip(&sizes) {
            let every = (*size as usize).div_ceil(MOST_MEASURED);
            if part.split == text.split && text.unit.is_multiple_of(every) {
                let encoded = classifier.tokenizer().encode(text.text)?;
                part.lengths.push(encoded.ids.len() as u32);
                part.n_cut += u64::from(encoded.truncated);
            }
        }
        if text.split == judged {
            judge.add(text.text, text.class)?;
        }
        Ok::<(), TrainError>(())
    })?;
    let evaluation = judge.finish(judged)?;
    Ok(RunDescription {
        baselines: None,
        explained: examples.explain(&classifier)?,
        mistakes: examples.mistakes(),
        n_parameters: classifier.model().num_params(),
        config,
        info,
        parts: described,
        evaluation,
    })
}

/// A run that classifies whole series; of them nothing is shown.
fn describe_classes(
    bundle: Bundle,
    config: Config,
    settings: &RunSettings,
) -> Result<RunDescription, TrainError> {
    let info = bundle.info().clone();
    let task = SeriesClassification::load(&config)?;
    require_same_data(
        &config,
        &settings.folder,
        &task.data_fingerprint(),
        &info.data_fingerprint,
    )?;
    let model = bundle.into_series_model()?;
    let parts = Split::ALL
        .into_iter()
        .filter(|split| task.n_units(*split) > 0);
    let judged = match task.n_units(Split::Test) {
        0 => Split::Valid,
        _ => Split::Test,
    };
    let RunSettings {
        device, workers, ..
    } = settings;
    Ok(RunDescription {
        parts: parts
            .map(|split| PartDescription {
                lengths: task.steps(split),
                ..part(split, &task.classes(split), info.labels.len())
            })
            .collect(),
        n_parameters: model.model().num_params(),
        evaluation: evaluate(model.model(), &task, judged, *workers, device)?,
        baselines: task.baselines()?,
        mistakes: Vec::new(),
        explained: Vec::new(),
        config,
        info,
    })
}

fn part(split: Split, classes: &[u32], n_classes: usize) -> PartDescription {
    let mut class_counts = vec![0; n_classes];
    for class in classes {
        class_counts[*class as usize] += 1;
    }
    PartDescription {
        split,
        class_counts,
        lengths: Vec::new(),
        n_cut: 0,
    }
}

/// The texts worth showing among all that pass by.
struct Examples {
    wanted: bool,
    /// At most twice as many as are kept, in no order.
    mistakes: Vec<JudgedText>,
    /// The first right answer of each class to a text of readable length.
    right: Vec<JudgedText>,
}

impl Examples {
    fn new(wanted: bool) -> Self {
        Self {
            wanted,
            mistakes: Vec::new(),
            right: Vec::new(),
        }
    }

    fn see(&mut self, text: &str, truth: usize, prediction: &ClassPrediction) {
        if !self.wanted {
            return;
        }
        let judged = || JudgedText {
            text: text.to_owned(),
            truth,
            predicted: prediction.class,
            probability: prediction.probability(),
        };
        if prediction.class != truth {
            self.mistakes.push(judged());
            if self.mistakes.len() >= 2 * MOST_MISTAKES {
                self.sort();
            }
        } else if self.right.len() < EXPLAINED_CLASSES
            && self.right.iter().all(|other| other.truth != truth)
            && READABLE.contains(&text.chars().count())
        {
            self.right.push(judged());
        }
    }

    fn sort(&mut self) {
        // Stable, so that of equally sure ones the first stay: the same report every time.
        self.mistakes
            .sort_by(|a, b| b.probability.total_cmp(&a.probability));
        self.mistakes.truncate(MOST_MISTAKES);
    }

    fn explain(
        &mut self,
        classifier: &TextClassifier,
    ) -> Result<Vec<(JudgedText, Explanation)>, TrainError> {
        self.sort();
        let readable = |judged: &&JudgedText| judged.text.chars().count() <= *READABLE.end();
        let mistakes = self
            .mistakes
            .iter()
            .filter(readable)
            .take(EXPLAINED_MISTAKES);
        self.right.sort_by_key(|judged| judged.truth);
        (self.right.iter().chain(mistakes))
            .map(|judged| Ok((judged.clone(), classifier.explain(&judged.text)?)))
            .collect()
    }

    fn mistakes(mut self) -> Vec<JudgedText> {
        self.sort();
        self.mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(class: usize, probability: f64) -> ClassPrediction {
        let mut probabilities = vec![1.0 - probability; 2];
        probabilities[class] = probability;
        ClassPrediction {
            class,
            probabilities,
            truncated: false,
        }
    }

    #[test]
    fn the_surest_of_many_mistakes_are_kept_the_surest_first() {
        let mut examples = Examples::new(true);
        for place in 0..200 {
            let probability = 0.5 + f64::from((place * 37) % 200) / 400.0;
            examples.see(&format!("text {place}"), 0, &prediction(1, probability));
        }
        let kept = examples.mistakes();
        assert_eq!(kept.len(), MOST_MISTAKES);
        assert!((kept[0].probability - (0.5 + 199.0 / 400.0)).abs() < 1e-12);
        assert!(
            kept.windows(2)
                .all(|pair| pair[0].probability > pair[1].probability)
        );
    }

    #[test]
    fn texts_that_are_not_wanted_are_not_kept() {
        let mut examples = Examples::new(false);
        examples.see(&"text ".repeat(20), 0, &prediction(0, 0.9));
        examples.see("text", 0, &prediction(1, 0.9));
        assert!(examples.right.is_empty() && examples.mistakes().is_empty());
    }
}
