//! Finished models on data: the run's own test data, or any file.

use std::path::Path;

use regard_bundle::{Bundle, Workers};
use regard_data::{Examples, LabelledTexts, Labels, TextColumns};

use crate::config;
use crate::error::TrainError;
use crate::metrics::ClassificationMetrics;
use crate::run::RunSettings;
use crate::task::text_parts::TextParts;
use crate::task::{Evaluation, Split};

/// Texts that are predicted together.
const CHUNK: usize = 1024;

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
            let Some(test) = parts.test else {
                return Ok(None);
            };
            evaluate_texts(bundle, &*test, &labels, settings.workers).map(Some)
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
    let texts = LabelledTexts::load(&source, &columns, Some(&labels))?;
    evaluate_texts(bundle, &texts, &labels, workers)
}

fn evaluate_texts(
    bundle: Bundle,
    texts: &dyn Examples,
    labels: &Labels,
    workers: Workers,
) -> Result<Evaluation, TrainError> {
    let classifier = bundle.into_text_classifier().with_workers(workers);
    let mut metrics = ClassificationMetrics::new(labels.len());
    let rows: Vec<usize> = (0..texts.len()).collect();
    for chunk in rows.chunks(CHUNK) {
        let chunk_texts: Vec<&str> = chunk.iter().map(|row| texts.text(*row)).collect();
        for (row, prediction) in chunk.iter().zip(classifier.predict(&chunk_texts)?) {
            metrics.add(&prediction.probabilities, texts.label(*row) as usize)?;
        }
    }
    Ok(Evaluation {
        split: Split::Test,
        labels: labels.names().to_vec(),
        report: metrics.report()?,
    })
}
