//! Whole series with a label each: from `.ts` files, and from tables in wide and in long form.

mod builder;
mod load;
mod long;
mod ts;
mod wide;

pub use load::{LabelledColumns, LabelledSeries, SeriesForm};
