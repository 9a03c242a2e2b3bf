//! The texts that a run keeps for its test.

use std::path::Path;

use regard_bundle::BundleInfo;
use regard_data::{Labels, Records, TextColumns, visit_labelled};

use crate::config;
use crate::error::TrainError;
use crate::privacy::require_same_data;
use crate::task::Split;
use crate::task::text_parts::TextParts;

/// The first `most` texts of a run's test data; `None` if the run has none. `info` is what the run's
/// bundle says.
///
/// # Errors
///
/// As [`crate::evaluate_run`].
pub fn test_texts(
    folder: &Path,
    info: &BundleInfo,
    most: usize,
) -> Result<Option<Vec<String>>, TrainError> {
    let config = config::load::<&str>(&folder.join("config.toml"), &[])?;
    let labels = Labels::new(info.labels.clone())?;
    let mut texts = Vec::new();
    let mut add = |text: &str| {
        if texts.len() < most {
            texts.push(text.to_owned());
        }
        Ok::<(), TrainError>(())
    };
    match &config.data.test {
        None => return Ok(None),
        Some(config::Source::Path(path)) => {
            let schema = info.text_schema()?;
            let columns = TextColumns::new(schema.text_column.clone(), schema.label_column.clone());
            let records = Records::open(&schema.source(path))?;
            visit_labelled(records, &columns, &labels, |row| add(row.text))?;
        }
        Some(config::Source::Share(_)) => {
            let parts = TextParts::read(&config, Some(&labels))?;
            require_same_data(&config, folder, &parts.fingerprint, &info.data_fingerprint)?;
            parts.visit(&[Split::Test], |text| add(text.text))?;
        }
    }
    Ok((!texts.is_empty()).then_some(texts))
}
