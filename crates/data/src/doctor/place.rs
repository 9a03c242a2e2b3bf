//! Where an error is.

use std::path::Path;

use crate::DataError;

impl DataError {
    /// The file that an error is about, and the line in it, as far as it is about one.
    #[must_use]
    pub fn place(&self) -> (Option<&Path>, Option<u64>) {
        match self {
            Self::Read { path, line, .. }
            | Self::InvalidUtf8 { path, line, .. }
            | Self::NulByte { path, line, .. }
            | Self::LineTooLong { path, line, .. }
            | Self::RowTooLong { path, line, .. }
            | Self::TooManyColumns { path, line, .. }
            | Self::UnclosedQuote { path, line }
            | Self::RaggedRow { path, line, .. }
            | Self::InvalidJson { path, line, .. }
            | Self::MissingValue { path, line, .. }
            | Self::NestedValue { path, line, .. }
            | Self::EmptyLabel { path, line, .. }
            | Self::LabelTooLong { path, line, .. }
            | Self::UnknownLabel { path, line, .. }
            | Self::NotANumber { path, line, .. }
            | Self::InfiniteValue { path, line, .. }
            | Self::UnparsableTime { path, line, .. }
            | Self::RepeatedTime { path, line, .. }
            | Self::InvalidTs { path, line, .. }
            | Self::EmptySeries { path, line }
            | Self::LabelChanges { path, line, .. } => (Some(path), Some(*line)),
            Self::Open { path, .. }
            | Self::Folder { path }
            | Self::NoFolder { path }
            | Self::NoLabelFolders { path }
            | Self::NestedFolder { path }
            | Self::LinkOutside { path }
            | Self::NoRegularFile { path }
            | Self::LabelNotUtf8 { path }
            | Self::TextTooLong { path, .. }
            | Self::UnknownFormat { path }
            | Self::Empty { path }
            | Self::NoRows { path }
            | Self::Utf16 { path }
            | Self::MissingColumn { path, .. }
            | Self::NoHeader { path, .. }
            | Self::AmbiguousColumn { path, .. }
            | Self::ReadOnce { path }
            | Self::Changed { path }
            | Self::TooManyLabels { path, .. }
            | Self::SameColumn { path, .. }
            | Self::NoNumericColumn { path, .. }
            | Self::OneColumn { path, .. }
            | Self::IdOfTwoColumns { path, .. }
            | Self::TimeOfTwoColumns { path, .. }
            | Self::SeriesColumnTwice { path, .. }
            | Self::TooManySeries { path, .. }
            | Self::AmbiguousTimes { path, .. }
            | Self::NoTimeColumn { path, .. }
            | Self::SeriesSplit { path, .. }
            | Self::SeriesShare { path, .. }
            | Self::IrregularCalendar { path, .. }
            | Self::SeriesId { path, .. }
            | Self::NoSeriesToTrainOn { path, .. }
            | Self::TooFewRows { path, .. }
            | Self::AllMissing { path, .. }
            | Self::ConstantChannel { path, .. }
            | Self::ColumnsChanged { path, .. }
            | Self::NoCalendar { path, .. }
            | Self::InvalidWindows { path, .. } => (Some(path), None),
            _ => (None, None),
        }
    }
}
