//! A trained Regard model as a value: load, predict, save.
//!
//! A bundle is a folder: `bundle.json` (what the model is, what it takes, the hash of every other
//! file), `weights.safetensors` and `tokenizer.json` or, for series, `scaler.json`. Nothing here trains.
//! [`TextClassifier::explain`] says what an answer rests on.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use regard_bundle::Bundle;
//!
//! # fn main() -> Result<(), regard_bundle::BundleError> {
//! let bundle = Bundle::load("runs/sms-spam".as_ref(), &Device::flex())?;
//! let classifier = bundle.text_classifier()?;
//! for prediction in classifier.predict(&["Win a prize now!"])? {
//!     println!("{} {:.3}", classifier.labels()[prediction.class], prediction.probability());
//! }
//! # Ok(())
//! # }
//! ```

mod bundle;
mod error;
mod explain;
mod files;
mod scores;
mod series;
mod text;
mod workers;

pub use bundle::{Bundle, BundleInfo, Companion, FORMAT_VERSION, Schema, TextSchema};
pub use error::BundleError;
pub use explain::{
    AttentionMaps, Explanation, HeadFigures, NotFinite, Recording, TextToken, Word, pooled, record,
    rollout,
};
pub use scores::{ScoreSum, Smoothing, threshold};
pub use series::{
    Forecast, ScoreSettings, SeriesModel, SeriesSchema, SeriesWindow, channel_rows,
    put_quantiles_in_order, series_input,
};
pub use text::{ClassPrediction, TextClassifier, text_input};
pub use workers::Workers;

/// The Rust program of the guide, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide.md")]
struct Guide;
