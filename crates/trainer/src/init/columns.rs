//! Which column is the text and which the label.

use std::collections::{BTreeMap, HashMap};

use regard_data::Column;
use regard_data::series::reads_as_time;

use super::InitOptions;
use crate::error::TrainError;

/// Names that people give to a column of texts, the surest first.
pub(super) const TEXT_NAMES: &[&str] = &[
    "text",
    "sentence",
    "message",
    "content",
    "review",
    "body",
    "comment",
    "document",
    "tweet",
    "description",
    "title",
    "question",
    "utterance",
];
/// Names that people give to a column of labels, the surest first.
pub(super) const LABEL_NAMES: &[&str] = &[
    "label",
    "class",
    "category",
    "target",
    "sentiment",
    "intent",
    "topic",
    "y",
    "tag",
    "polarity",
    "rating",
    "stars",
];
/// More different values than this are no set of labels.
const MOST_LABELS: usize = 1000;
/// A longer value is a text, and a thousand of the longest lines would fill the memory.
const LONGEST_LABEL_BYTES: usize = 1024;
/// The values of all columns together that are looked at, in bytes.
const MOST_VALUE_BYTES: usize = 32 << 20;

/// Memory for the values of columns: a hostile table has 65,536 of them.
#[derive(Debug)]
pub(super) struct ValueRoom(usize);

impl ValueRoom {
    pub(super) const fn new() -> Self {
        Self(MOST_VALUE_BYTES)
    }

    /// About what an entry of the map of values takes beside its text.
    const ENTRY_BYTES: usize = 64;

    fn take(&mut self, value: &str) -> bool {
        let left = self.0.checked_sub(value.len() + Self::ENTRY_BYTES);
        left.inspect(|left| self.0 = *left).is_some()
    }

    fn give_back(&mut self, value: &str) {
        self.0 += value.len() + Self::ENTRY_BYTES;
    }
}

/// What is known of a column.
#[derive(Debug, Default)]
pub(super) struct ColumnStatistics {
    rows: usize,
    missing: usize,
    characters: u64,
    whitespace: u64,
    /// How many texts have how many words (pieces between whitespace).
    pub(super) lengths: BTreeMap<u32, usize>,
    /// The count of each value, until there are too many for labels.
    values: HashMap<String, usize>,
    overflowed: bool,
    /// How many texts are something else than a number or a time.
    n_words: usize,
}

impl ColumnStatistics {
    /// Counts a text; `room` is what is left of the memory for values.
    pub(super) fn add(&mut self, text: &str, room: &mut ValueRoom) {
        self.rows += 1;
        self.characters += text.chars().count() as u64;
        // A time begins with a digit; most texts need no closer look.
        let is_time =
            || text.trim().starts_with(|c: char| c.is_ascii_digit()) && reads_as_time(text);
        let is_word = !text.trim().is_empty() && text.trim().parse::<f64>().is_err() && !is_time();
        self.n_words += usize::from(is_word);
        let words = text.split_whitespace().count();
        self.whitespace += words.saturating_sub(1) as u64;
        *self.lengths.entry(words as u32).or_default() += 1;
        if self.overflowed {
            return;
        }
        if let Some(count) = self.values.get_mut(text) {
            *count += 1;
            return;
        }
        if text.len() <= LONGEST_LABEL_BYTES && self.values.len() < MOST_LABELS && room.take(text) {
            self.values.insert(text.to_owned(), 1);
            return;
        }
        self.overflowed = true;
        self.values.keys().for_each(|value| room.give_back(value));
        self.values = HashMap::new();
    }

    /// The number of words of the text at `rank`, from 0, in the order of lengths.
    pub(super) fn words(&self, rank: usize) -> Option<u32> {
        let mut before = 0;
        let mut lengths = self.lengths.iter();
        lengths
            .find(|(_, count)| {
                before += **count;
                before > rank
            })
            .map(|(words, _)| *words)
    }

    pub(super) fn add_missing(&mut self) {
        self.missing += 1;
    }

    /// The mean number of characters of a text.
    pub(super) fn mean_characters(&self) -> f64 {
        self.characters as f64 / self.rows.max(1) as f64
    }

    /// The mean number of characters of a word: large where words are not parted by spaces.
    pub(super) fn characters_per_word(&self) -> f64 {
        self.characters as f64 / (self.whitespace + self.rows as u64).max(1) as f64
    }

    /// Whether more than a few faulty ones are something else than a number or a time.
    fn has_words(&self) -> bool {
        20 * self.n_words > self.rows
    }

    /// Different values, if they are few enough to be labels: at least two, and on average at least
    /// two rows each.
    fn n_labels(&self) -> Option<usize> {
        let n = self.values.len();
        (!self.overflowed && self.missing == 0 && n >= 2 && 2 * n <= self.rows).then_some(n)
    }
}

/// Which columns to use, and why.
#[derive(Clone, Debug)]
pub struct ColumnGuess {
    /// Whether the file names its columns.
    pub header: bool,
    /// The text column.
    pub text: Column,
    /// Why this one.
    pub text_reason: String,
    /// The label column.
    pub label: Column,
    /// Why this one.
    pub label_reason: String,
    /// The number of different labels.
    pub n_labels: usize,
    /// Columns that are not used.
    pub ignored: Vec<String>,
    pub(super) text_index: usize,
}

/// Chooses the columns.
pub(super) fn guess(
    options: &InitOptions,
    header: bool,
    names: &[String],
    statistics: &[ColumnStatistics],
) -> Result<ColumnGuess, TrainError> {
    let count = |name: &str| names.iter().filter(|other| *other == name).count();
    let index_of = |column: &Column| match column {
        Column::Number(number) => (*number < names.len()).then_some(*number),
        Column::Name(name) if count(name) == 1 => names.iter().position(|other| other == name),
        Column::Name(_) => None,
    };
    let refused = |column: &Column| TrainError::NoColumn {
        path: options.train.clone(),
        wanted: match column {
            Column::Name(name) if count(name) > 1 => {
                format!(
                    "single column {column}: give the number of one of the {}",
                    count(name)
                )
            }
            _ => format!("column {column}"),
        },
        found: describe(names, statistics),
    };
    let (label_index, label_reason) = match &options.label_column {
        Some(column) => (
            index_of(column).ok_or_else(|| refused(column))?,
            "as you said".to_owned(),
        ),
        None => best_label(options, names, statistics)?,
    };
    let (text_index, text_reason) = match &options.text_column {
        Some(column) => (
            index_of(column).ok_or_else(|| refused(column))?,
            "as you said".to_owned(),
        ),
        None => best_text(options, names, statistics, label_index)?,
    };
    let column = |index: usize| {
        // Where two columns share a name, only the number tells which is meant.
        if header && count(&names[index]) == 1 {
            Column::Name(names[index].clone())
        } else {
            Column::Number(index)
        }
    };
    let n_labels = match statistics[label_index].n_labels() {
        Some(n) => n,
        None => {
            return Err(TrainError::NoColumn {
                path: options.train.clone(),
                wanted: "a label column with at least two values, each in two rows or more"
                    .to_owned(),
                found: describe(names, statistics),
            });
        }
    };
    Ok(ColumnGuess {
        header,
        text: column(text_index),
        text_reason,
        label: column(label_index),
        label_reason,
        n_labels,
        ignored: (0..names.len())
            .filter(|index| *index != text_index && *index != label_index)
            .map(|index| names[index].clone())
            .collect(),
        text_index,
    })
}

fn best_label(
    options: &InitOptions,
    names: &[String],
    statistics: &[ColumnStatistics],
) -> Result<(usize, String), TrainError> {
    let mut candidates: Vec<(usize, usize, usize)> = statistics
        .iter()
        .enumerate()
        .filter_map(|(index, column)| {
            Some((rank(&names[index], LABEL_NAMES), column.n_labels()?, index))
        })
        .collect();
    candidates.sort_unstable();
    let Some(&(rank, n_labels, index)) = candidates.first() else {
        return Err(TrainError::NoColumn {
            path: options.train.clone(),
            wanted: "a label column with at least two values, each in two rows or more".to_owned(),
            found: describe(names, statistics),
        });
    };
    let reason = if rank < LABEL_NAMES.len() {
        format!("its name says so; {n_labels} different values")
    } else {
        format!("the column with the fewest different values, {n_labels}")
    };
    Ok((index, reason))
}

fn best_text(
    options: &InitOptions,
    names: &[String],
    statistics: &[ColumnStatistics],
    label: usize,
) -> Result<(usize, String), TrainError> {
    let longest = (0..names.len())
        .filter(|index| *index != label && statistics[*index].has_words())
        .max_by(|a, b| {
            let length = |index: &usize| statistics[*index].mean_characters();
            // Of equals the first.
            length(a).total_cmp(&length(b)).then(b.cmp(a))
        });
    let named = (0..names.len())
        .filter(|index| *index != label)
        .map(|index| (rank(&names[index], TEXT_NAMES), index))
        .min()
        .filter(|(rank, _)| *rank < TEXT_NAMES.len());
    let length = |index: usize| statistics[index].mean_characters();
    // A name counts only if what stands there is not much shorter than the longest column: a
    // `title` beside an unnamed body is not the text.
    if let Some((_, index)) = named
        && longest.is_none_or(|longest| 4.0 * length(index) >= length(longest))
    {
        return Ok((index, "its name says so".to_owned()));
    }
    let Some(longest) = longest else {
        return Err(TrainError::NoColumn {
            path: options.train.clone(),
            wanted: "a column of texts beside the label column; where numbers are texts, name it with --text-column".to_owned(),
            found: describe(names, statistics),
        });
    };
    let mean = length(longest);
    Ok((
        longest,
        format!("the longest column, {mean:.0} characters on average"),
    ))
}

fn rank(name: &str, names: &[&str]) -> usize {
    let name = name.trim().to_lowercase();
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or(names.len())
}

fn describe(names: &[String], statistics: &[ColumnStatistics]) -> String {
    let columns: Vec<String> = names
        .iter()
        .zip(statistics)
        .take(20)
        .map(|(name, column)| {
            let values = if column.overflowed {
                format!("more than {MOST_LABELS}")
            } else {
                column.values.len().to_string()
            };
            format!("{name:?} ({values} different values)")
        })
        .collect();
    columns.join(", ")
}
