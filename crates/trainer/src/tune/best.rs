//! The configuration that was found, as a file that runs.

use std::fmt::Write as _;

use super::draw::Values;
use crate::config::Config;
use crate::error::TrainError;

/// What there is to say of the best trial.
pub(super) struct Found<'a> {
    pub base: &'a Config,
    pub config: &'a Config,
    pub values: &'a Values,
    pub trial: usize,
    pub n_trials: usize,
    pub steps: u64,
    pub value: f64,
    /// What the configuration as it stood reached in the same number of steps, where that was tried.
    pub base_value: Option<f64>,
}

impl Found<'_> {
    /// The configuration in TOML, with comments on what was found.
    pub fn to_toml(&self) -> Result<String, TrainError> {
        let metric = self.base.eval.metric.name();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# Found by `regard tune`: trial {} of {} had the best validation {metric} after {} steps, {:.4}.",
            self.trial, self.n_trials, self.steps, self.value
        );
        if let Some(base) = self.base_value.filter(|_| !self.values.is_empty()) {
            let _ = writeln!(
                text,
                "# The configuration as it stood reached {base:.4} in as many steps."
            );
        }
        if self.values.is_empty() {
            text.push_str("# It is the configuration as it stood: no trial was better.\n");
        }
        text.push_str(
            "# The best of many is better than it looks on data that chose it: judge it on test data.\n\n",
        );
        for line in self.config.to_toml()?.lines() {
            text.push_str(line);
            text.push('\n');
        }
        self.with_notes(text)
    }

    /// Adds to the line of each key that was searched what stood there before.
    fn with_notes(&self, text: String) -> Result<String, TrainError> {
        let mut noted = String::new();
        let mut section = "";
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
            }
            let name = line.split_once(" = ").map(|(name, _)| name);
            let path = name.map(|name| match section {
                "" => name.to_owned(),
                section => format!("{section}.{name}"),
            });
            noted.push_str(line);
            if let Some(path) = path.filter(|path| self.values.contains_key(path)) {
                let before = self.base.value(&path)?;
                let before = before.map_or("not set".to_owned(), |value| value.to_string());
                let _ = write!(noted, "  # searched; was {before}");
            }
            noted.push('\n');
        }
        Ok(noted)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[test]
    fn the_file_runs_and_says_what_was_found() {
        let text = "version = 1\ntask = \"text-classification\"\nname = \"spam\"\n\
            [data]\ntrain = \"t.tsv\"\n[model]\ndropout = 0.2\n";
        let base = parse::<&str>(text, Path::new("c.toml"), &[]).unwrap();
        let values = Values::from([
            ("model.dropout".to_owned(), 0.35.into()),
            ("model.n_kv_heads".to_owned(), 2.into()),
        ]);
        let config = base.with_values(&values).unwrap();
        let found = Found {
            base: &base,
            config: &config,
            values: &values,
            trial: 4,
            n_trials: 9,
            steps: 300,
            value: 0.98768,
            base_value: Some(0.9512),
        };
        let file = found.to_toml().unwrap();
        assert_eq!(
            parse::<&str>(&file, Path::new("best.toml"), &[]).unwrap(),
            config
        );
        for line in [
            "# Found by `regard tune`: trial 4 of 9 had the best validation accuracy after 300 steps, 0.9877.\n",
            "# The configuration as it stood reached 0.9512 in as many steps.\n",
            "\ndropout = 0.35  # searched; was 0.2\n",
            "\nn_kv_heads = 2  # searched; was not set\n",
            "\nattention_dropout = 0.0\n",
        ] {
            assert!(file.contains(line), "{line} in {file}");
        }
    }
}
