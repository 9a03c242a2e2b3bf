//! Finished models on data: the run's own test data, or any file.

use std::path::Path;

use regard_bundle::{Bundle, ClassPrediction, TextClassifier, Workers};
use regard_data::{Labels, Records, TextColumns, visit_labelled};

use crate::config;
use crate::error::TrainError;
use crate::metrics::ClassificationMetrics;
use crate::run::RunSettings;
use crate::task::text_parts::TextParts;
use crate::task::{Evaluation, Split};

/// Texts that are predicted together: this many, or this much.
const CHUNK: usize = 1024;
const CHUNK_BYTES: usize = 16 << 20;

/// What the bundle of the run in the settings' folder is worth on the run's test data; `None` if
/// the run has no test data.
///
/// The bundle's own tokenizer and labels read the texts, whatever has become of the training file.
///
/// # Errors
///
/// If there is no finished run, its test data can no longer be read, or the test data is a share of a
/// training file that has changed.
pub fn evaluate_run(settings: &RunSettings) -> Result<Option<Evaluation>, TrainError> {
    let bundle = Bundle::load(&settings.folder, &settings.device)?;
    let config = config::load::<&str>(&settings.folder.join("config.toml"), &[])?;
    match &config.data.test {
        None => Ok(None),
        Some(config::Source::Path(path)) => evaluate_file(bundle, path, settings.workers).map(Some),
        Some(config::Source::Share(_)) => {
            let labels = Labels::new(bundle.info().labels.clone())?;
            let parts = TextParts::read(&config, Some(&labels))?;
            if parts.fingerprint != bundle.info().data_fingerprint {
                return Err(TrainError::OtherData {
                    folder: settings.folder.clone(),
                });
            }
            let classifier = bundle.into_text_classifier().with_workers(settings.workers);
            let mut judge = Judge::new(&classifier, |_, _, _| {});
            parts.visit(&[Split::Test], |text| judge.add(text.text, text.class))?;
            judge.finish(Split::Test).map(Some)
        }
    }
}

/// What a bundle is worth on a file of labelled texts, laid out as its training data was.
///
/// # Errors
///
/// If the file cannot be read, a column is missing, or a label is none of the model's.
pub fn evaluate_file(
    bundle: Bundle,
    path: &Path,
    workers: Workers,
) -> Result<Evaluation, TrainError> {
    let schema = bundle.info().schema.clone();
    let labels = Labels::new(bundle.info().labels.clone())?;
    let source = schema.source(path);
    let columns = TextColumns::new(schema.text_column, schema.label_column);
    let classifier = bundle.into_text_classifier().with_workers(workers);
    let mut judge = Judge::new(&classifier, |_, _, _| {});
    visit_labelled(Records::open(&source)?, &columns, &labels, |row| {
        judge.add(row.text, row.label)
    })?;
    judge.finish(Split::Test)
}

/// A classifier that is judged on texts as they pass by; `look` sees each text, its class and what the
/// classifier says of it.
pub(crate) struct Judge<'a, L> {
    classifier: &'a TextClassifier,
    look: L,
    metrics: ClassificationMetrics,
    texts: Vec<String>,
    classes: Vec<u32>,
    bytes: usize,
}

impl<'a, L: FnMut(&str, usize, &ClassPrediction)> Judge<'a, L> {
    pub(crate) fn new(classifier: &'a TextClassifier, look: L) -> Self {
        Self {
            classifier,
            look,
            metrics: ClassificationMetrics::new(classifier.labels().len()),
            texts: Vec::new(),
            classes: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn add(&mut self, text: &str, class: u32) -> Result<(), TrainError> {
        self.texts.push(text.to_owned());
        self.classes.push(class);
        self.bytes += text.len();
        if self.texts.len() == CHUNK || self.bytes >= CHUNK_BYTES {
            self.predict()?;
        }
        Ok(())
    }

    fn predict(&mut self) -> Result<(), TrainError> {
        let predictions = self.classifier.predict(&self.texts)?;
        let classes = self.classes.drain(..).map(|class| class as usize);
        for ((text, class), prediction) in self.texts.iter().zip(classes).zip(predictions) {
            self.metrics.add(&prediction.probabilities, class)?;
            (self.look)(text, class, &prediction);
        }
        self.texts.clear();
        self.bytes = 0;
        Ok(())
    }

    pub(crate) fn finish(mut self, split: Split) -> Result<Evaluation, TrainError> {
        self.predict()?;
        Ok(Evaluation {
            split,
            labels: self.classifier.labels().to_vec(),
            report: self.metrics.report()?,
        })
    }
}
