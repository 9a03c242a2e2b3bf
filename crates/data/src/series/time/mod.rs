//! Times as people write them, and as numbers.

mod column;
mod form;
mod moment;

pub(crate) use column::{TimeColumn, Times};
pub use form::TimeForm;
pub use moment::{Moment, TimeZoneOfColumn};
