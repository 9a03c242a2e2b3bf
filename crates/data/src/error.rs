//! What can be wrong with a person's data, one variant a situation, each with the place and the way to mend it.

use std::path::PathBuf;

use crate::series::{Frequency, TimeForm};
use crate::wording::{
    columns_changed, did_you_mean, listed, no_calendar, of_series, other_separator, ragged_hint,
    time_forms,
};
use crate::{Format, TokenizerKind};

/// Why data could not be read, written, split or turned into tokens.
///
/// Lines and bytes within a line count from 1, columns given by number from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The path is a folder.
    #[error("{} is a folder, a file was expected", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no file and gives its content only once.
    #[error(
        "{} is a pipe or a device, which can be read only once, and this reads its data several times; save it to a file first",
        path.display()
    )]
    ReadOnce {
        /// The path.
        path: PathBuf,
    },
    /// The rows are others than when the file was first read.
    #[error(
        "{} changed while it was being read; wait until whatever writes it is done, then begin again",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A folder was expected.
    #[error("{} is no folder; the format folder is one folder a label, with one text file an example in it", path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// A folder of examples without a folder in it.
    #[error("{} holds no folder of a label; one folder a label was expected, with one text file an example in it", path.display())]
    NoLabelFolders {
        /// The folder.
        path: PathBuf,
    },
    /// A label's folder with a folder in it.
    #[error("{} is a folder inside of a label's folder, text files were expected there; move it away", path.display())]
    NestedFolder {
        /// The inner folder.
        path: PathBuf,
    },
    /// A link that leads out of a folder of examples.
    #[error("{} is a link that leads out of the folder of examples; put the file itself there", path.display())]
    LinkOutside {
        /// The link.
        path: PathBuf,
    },
    /// A pipe, socket or device among the text files of a folder.
    #[error("{} is no regular file, a text file was expected; remove it", path.display())]
    NoRegularFile {
        /// What was found.
        path: PathBuf,
    },
    /// A label's folder whose name is no text.
    #[error("the name of the folder {} is not UTF-8, so it can be no label; rename it", path.display())]
    LabelNotUtf8 {
        /// The folder.
        path: PathBuf,
    },
    /// A text file beyond the cap.
    #[error("{} is longer than {limit_bytes} bytes; is it the text of one example?", path.display())]
    TextTooLong {
        /// The file.
        path: PathBuf,
        /// The cap.
        limit_bytes: usize,
    },
    /// Reading failed midway.
    #[error("{} line {line}: reading failed", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The line that was being read.
        line: u64,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Rows cannot be written.
    #[error("writing rows failed")]
    Write {
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The extension says nothing about the format.
    #[error(
        "{}: the format cannot be told from the extension; rename the file to .csv, .tsv, .jsonl or .txt, or name the format",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A format name that does not exist.
    #[error("no format is called {found:?}; expected csv, tsv, json-lines, lines or folder")]
    UnknownFormatName {
        /// The name that was given.
        found: String,
    },
    /// Nothing is in the file.
    #[error("{} is empty; expected rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header and nothing under it.
    #[error(
        "{} has no rows under its header; if its first line is data already, read it without a header",
        path.display()
    )]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// The file starts with the byte order mark of UTF-16.
    #[error("{} is encoded in UTF-16, UTF-8 was expected; convert it, for example with iconv -f UTF-16 -t UTF-8", path.display())]
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// Bytes that are no UTF-8.
    #[error(
        "{} line {line}, byte {byte}: invalid UTF-8; convert the file, for example with iconv -f LATIN1 -t UTF-8",
        path.display()
    )]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The first wrong byte's place within the line.
        byte: u64,
    },
    /// A byte of value zero, which no text holds.
    #[error("{} line {line}, byte {byte}: a NUL byte, so this is no text file or a damaged one", path.display())]
    NulByte {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The byte's place within the line.
        byte: u64,
    },
    /// A line beyond the cap.
    #[error("{} line {line} is longer than {limit_bytes} bytes; is this a text file with one row a line?", path.display())]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The cap.
        limit_bytes: usize,
    },
    /// A CSV row, which may span lines, beyond the cap.
    #[error(
        "{} line {line}: the row that starts here is longer than {limit_bytes} bytes; is a quote missing that closes a field?",
        path.display()
    )]
    RowTooLong {
        /// The file.
        path: PathBuf,
        /// Where the row starts.
        line: u64,
        /// The cap.
        limit_bytes: usize,
    },
    /// More columns than the cap.
    #[error("{} line {line} has more than {limit} columns; is the format right?", path.display())]
    TooManyColumns {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The cap.
        limit: usize,
    },
    /// The file ends inside a quoted field.
    #[error("{} line {line}: a quote opens here and is never closed; close it, or write a quote inside a quoted field twice", path.display())]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// Where the quoted field starts.
        line: u64,
    },
    /// A row with another number of columns than the first.
    #[error("{} line {line}: {expected} columns expected as in the first row, {found} found; {}", path.display(), ragged_hint(*.quoting))]
    RaggedRow {
        /// The file.
        path: PathBuf,
        /// Where the row starts.
        line: u64,
        /// Columns of the first row.
        expected: usize,
        /// Columns of this row.
        found: usize,
        /// Whether the format quotes fields, which decides the advice.
        quoting: bool,
    },
    /// A line that is no JSON.
    #[error("{} line {line}: no valid JSON object: {message}", path.display())]
    InvalidJson {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What the parser said.
        message: String,
    },
    /// No column has that name or number.
    #[error("{} has no column {column}; its columns are {}{}{}", path.display(), listed(.found), did_you_mean(.nearest.as_deref()), other_separator(.found))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: String,
        /// The columns that exist.
        found: Vec<String>,
        /// The existing name that is most like it.
        nearest: Option<String>,
    },
    /// A name was given for a column of a file without names.
    #[error("{}: column {column:?} is named but the file is read without a header; give the column's number, from 0 to {}", path.display(), columns.saturating_sub(1))]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        column: String,
        /// How many columns there are.
        columns: usize,
    },
    /// Two columns of one name.
    #[error("{} has two columns called {column:?}, number {first} and number {second}; give the column's number instead", path.display())]
    AmbiguousColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
        /// The first column's number.
        first: usize,
        /// The second column's number.
        second: usize,
    },
    /// One column for both the text and the label.
    #[error("{}: the text column {text} and the label column {label} are one and the same; name another one", path.display())]
    SameColumn {
        /// The file.
        path: PathBuf,
        /// The text column as it was named.
        text: String,
        /// The label column as it was named.
        label: String,
    },
    /// A JSON row without a value for a column, or with `null`.
    #[error("{} line {line}: no value for {column:?}; give one or remove the row", path.display())]
    MissingValue {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: String,
    },
    /// A JSON list or object where a text is needed.
    #[error("{} line {line}: {column:?} holds {found}, a text or a number was expected", path.display())]
    NestedValue {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// `a list` or `an object`.
        found: &'static str,
    },
    /// A row without a label.
    #[error("{} line {line}: the label in column {column:?} is empty; fill it in or remove the row", path.display())]
    EmptyLabel {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The label column.
        column: String,
    },
    /// A label of the length of a text.
    #[error(
        "{} line {line}: the label in column {column:?} is longer than {limit_bytes} bytes; is it the right column?",
        path.display()
    )]
    LabelTooLong {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The label column.
        column: String,
        /// The cap.
        limit_bytes: usize,
    },
    /// A column of so many different values that they are no labels.
    #[error(
        "{}: the column {column:?} has more than {most} different labels; is it the right column?",
        path.display()
    )]
    TooManyLabels {
        /// The file.
        path: PathBuf,
        /// The label column.
        column: String,
        /// The most that are taken.
        most: usize,
    },
    /// A label that the model or the configuration does not know.
    #[error("{} line {line}: unknown label {label:?}; the labels are {}{}", path.display(), listed(.known), did_you_mean(.nearest.as_deref()))]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The label, shortened.
        label: String,
        /// The labels that exist.
        known: Vec<String>,
        /// The existing label that is most like it.
        nearest: Option<String>,
    },
    /// A list of labels that names one twice.
    #[error("the list of labels names {label:?} twice; name each label once")]
    RepeatedLabel {
        /// The label.
        label: String,
    },
    /// A list of labels with an empty name in it.
    #[error("the list of labels has an empty name at place {place}; remove it")]
    EmptyLabelName {
        /// Where in the list, from 1.
        place: usize,
    },
    /// Nothing to tell apart.
    #[error(
        "all {rows} rows of {data} have the label {label:?}; a classifier needs rows of at least two labels: is the label column right?"
    )]
    OneClass {
        /// What the rows are, a path for instance.
        data: String,
        /// The only label.
        label: String,
        /// How many rows there are.
        rows: usize,
    },
    /// A share outside (0, 1).
    #[error("a share of {share} cannot be held out; give a number above 0 and below 1")]
    ShareOutOfRange {
        /// The share.
        share: f64,
    },
    /// A share that leaves one side of the split without rows.
    #[error(
        "a share of {share} of {rows} rows holds out {held_out}; both parts need rows: give another share or more data"
    )]
    EmptySplit {
        /// The share.
        share: f64,
        /// Rows to split.
        rows: usize,
        /// Rows that would be held out.
        held_out: usize,
    },
    /// A value that a format without quoting cannot carry.
    #[error(
        "row {row}, column {column:?}: the value holds a {character}, and {format} has no quoting; write csv or json-lines instead"
    )]
    NotForPlainText {
        /// The format.
        format: Format,
        /// The row of the output, from 1, the header included.
        row: u64,
        /// The column.
        column: String,
        /// `tab`, `line feed` or `carriage return`.
        character: &'static str,
    },
    /// Several columns for the format of one.
    #[error(
        "the format lines carries one column, {columns} are to be written; write csv, tsv or json-lines instead"
    )]
    NotForLines {
        /// How many columns there are.
        columns: usize,
    },
    /// Rows are written into one file.
    #[error("rows cannot be written as a folder; write csv, tsv or json-lines instead")]
    NotForFolder,
    /// Two output columns of one name.
    #[error("the output would have two columns called {column:?}; rename the column of the input")]
    RepeatedOutputColumn {
        /// The name.
        column: String,
    },
    /// A row that does not fit the columns of the output.
    #[error("row {row}: {expected} columns expected in the output, {found} given")]
    OutputWidth {
        /// The row of the output, from 1, the header included.
        row: u64,
        /// Columns of the output.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// A JSON row with a field that the table being written has no column for.
    #[error(
        "row {row}: the field {column:?} is not in the first row, so the table has no column for it; write JSON Lines instead"
    )]
    NoOutputColumn {
        /// The row of the output, from 1, the header included.
        row: u64,
        /// The field.
        column: String,
    },
    /// The file system refused a file of token ids.
    #[error("cannot {action} the token cache {}; raise data.memory_mib to hold more in memory", path.display())]
    TokenCache {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A vocabulary too small for its kind.
    #[error("tokenizer.vocab_size is {found}; a tokenizer of kind {kind} needs at least {minimum}")]
    VocabularyTooSmall {
        /// The kind.
        kind: TokenizerKind,
        /// The least size.
        minimum: usize,
        /// The size that was asked for.
        found: usize,
    },
    /// A maximum length without room for text.
    #[error("tokenizer.max_length is {found}; it must be at least 2: [CLS] and one token of text")]
    MaxLengthTooSmall {
        /// The length that was asked for.
        found: usize,
    },
    /// No text to train a tokenizer on.
    #[error("the texts hold nothing to learn a vocabulary from; are they all empty?")]
    NothingToTokenize,

    /// No piece of the training texts occurs often enough to become a token.
    #[error(
        "no piece of the training texts that could be a token of the kind {kind} occurs {min_frequency} times; set tokenizer.min_frequency lower"
    )]
    NothingFrequent {
        /// The kind of tokenizer.
        kind: TokenizerKind,
        /// How often a piece must occur.
        min_frequency: u64,
    },
    /// A file that is no tokenizer.
    #[error("{name} is no usable tokenizer: {message}")]
    InvalidTokenizer {
        /// Where it came from.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The tokenizer failed on a text.
    #[error("the tokenizer failed on a text of {characters} characters: {message}")]
    Tokenize {
        /// The text's length; the text itself stays out of logs.
        characters: usize,
        /// What it said.
        message: String,
    },
    /// The file system refused a file of values.
    #[error("cannot {action} the temporary file of values {}; raise data.memory_mib to hold more in memory", path.display())]
    SeriesCache {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A table without a column of numbers.
    #[error("{} has no column of numbers; its other columns are {}", path.display(), listed(.columns))]
    NoNumericColumn {
        /// The file.
        path: PathBuf,
        /// The columns that hold none.
        columns: Vec<String>,
    },
    /// A table whose fields another separator parts.
    #[error("{} has one column{hint}", path.display())]
    OneColumn {
        /// The file.
        path: PathBuf,
        /// What parts its fields, and what to do.
        hint: &'static str,
    },
    /// Dates and times of day in two columns.
    #[error(
        "{}: dates stand in {date:?} and times of day in {time:?}; join them into one column",
        path.display()
    )]
    TimeOfTwoColumns {
        /// The file.
        path: PathBuf,
        /// The column of dates.
        date: String,
        /// That of the times of day.
        time: String,
    },
    /// Series that only two columns together tell apart.
    #[error(
        "{}: times repeat within each value of {first:?} and of {second:?}, but not within both together; give the table one column that joins the two",
        path.display()
    )]
    IdOfTwoColumns {
        /// The file.
        path: PathBuf,
        /// A column.
        first: String,
        /// The other one.
        second: String,
    },
    /// A column that was named for two purposes.
    #[error(
        "{}: the column {column:?} is named twice among time, id, target and known columns; a target that is known ahead would be told to the model",
        path.display()
    )]
    SeriesColumnTwice {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// So many different ids that they are none.
    #[error("{}: the column {column:?} has more than {most} different ids of series; is it the right column?", path.display())]
    TooManySeries {
        /// The file.
        path: PathBuf,
        /// The column of ids.
        column: String,
        /// The most that are taken.
        most: usize,
    },
    /// A text where a number should stand.
    #[error(
        "{} line {line}: {value:?} in column {column:?} is no number; a missing value is an empty field, NA, NaN, null or ?",
        path.display()
    )]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// An infinite value, or one beyond the range of 32-bit floating point.
    #[error(
        "{} line {line}: {value:?} in column {column:?} is infinite; leave the field empty if the value is missing",
        path.display()
    )]
    InfiniteValue {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// A value that is no time.
    #[error("{} line {line}: {value:?} in column {column:?} is no time; tried {}", path.display(), time_forms(.tried))]
    UnparsableTime {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column of times.
        column: String,
        /// What stands there, shortened.
        value: String,
        /// The forms that were tried: all of them, or those that the rows before left.
        tried: Vec<TimeForm>,
    },
    /// Times whose day and month could be exchanged.
    #[error(
        "{}: every time in column {column:?}, {value:?} for instance, can be read as {}; write dates as 2016-07-31, or name the form",
        path.display(), time_forms(.forms)
    )]
    AmbiguousTimes {
        /// The file.
        path: PathBuf,
        /// The column of times.
        column: String,
        /// The first of them, shortened.
        value: String,
        /// The forms that read all of them.
        forms: Vec<TimeForm>,
    },
    /// Something needs times, and no column of them is named.
    #[error("{}: {purpose} needs the times of the rows; name their column as data.time_column", path.display())]
    NoTimeColumn {
        /// The file.
        path: PathBuf,
        /// What needs them.
        purpose: &'static str,
    },
    /// Two rows of one series with one time.
    #[error(
        "{} line {line}: the time {time}{} stands on line {first_line} already, and {count} rows repeat a time; remove them, or say what counts: first, last, mean, or keep for all rows as they stand",
        path.display(), of_series(.series)
    )]
    RepeatedTime {
        /// The file.
        path: PathBuf,
        /// The line of the repetition.
        line: u64,
        /// The line of the first one.
        first_line: u64,
        /// The time.
        time: String,
        /// The id of the series.
        series: String,
        /// How many rows repeat a time, in the whole file.
        count: u64,
    },
    /// A part of a split that is empty, or ends behind the last row.
    #[error(
        "{}: the {part} part would be rows {start} to {end} of {rows}{}; each part needs rows, and all must fit: give other lengths or shares",
        path.display(), of_series(.series)
    )]
    SeriesSplit {
        /// The file.
        path: PathBuf,
        /// The id of the series.
        series: String,
        /// The part.
        part: &'static str,
        /// Rows of the series.
        rows: usize,
        /// Where the part begins.
        start: usize,
        /// Where it would end.
        end: usize,
    },
    /// A part of whole series that is empty, or more than there are.
    #[error(
        "{}: a share of {share} of {series} series for the {part} part, {sum} with those before it, is none or too many; \
         each part needs a series: give other shares, or split in time",
        path.display()
    )]
    SeriesShare {
        /// The file.
        path: PathBuf,
        /// The part.
        part: &'static str,
        /// Its share.
        share: f64,
        /// The shares up to it.
        sum: f64,
        /// How many series there are.
        series: usize,
    },
    /// An id that no series has, or that two parts name.
    #[error("{}: {}", path.display(), if *.is_repeated { format!("the series {id:?} is named for two parts; name it once") } else { format!("no series has the id {id:?}; look at the column of ids") })]
    SeriesId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
        /// Whether it exists and was named before.
        is_repeated: bool,
    },
    /// All series are for measuring.
    #[error("{}: all {series} series are for validation or test; leave some to train on", path.display())]
    NoSeriesToTrainOn {
        /// The file.
        path: PathBuf,
        /// How many series there are.
        series: usize,
    },
    /// Values that 32-bit numbers cannot tell apart.
    #[error(
        "{}: the values of {column:?} lie between {low} and {high}, and 32-bit numbers are too far apart there: subtract {low:.0} from all of them",
        path.display()
    )]
    CoarseValues {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The least value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// Too few rows for a single window.
    #[error(
        "{}: {rows} rows with {before} before them are too few; a window needs {} rows, {lookback} to look back and {horizon} ahead: give more rows or a shorter data.lookback or data.horizon",
        path.display(), .lookback.saturating_add(*.horizon)
    )]
    TooFewRows {
        /// The file.
        path: PathBuf,
        /// Rows of the longest series in this part.
        rows: usize,
        /// Rows of that series before the part, into which a window may look back.
        before: usize,
        /// Rows that a window sees.
        lookback: usize,
        /// Rows that it tells.
        horizon: usize,
    },
    /// A channel without a single value.
    #[error("{}: the column {column:?} has no value in the training rows; leave it out of the columns: name the others as data.target_columns", path.display())]
    AllMissing {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A channel that cannot be scaled.
    #[error(
        "{}: the column {column:?} is {value} in all training rows, so it has no scale; leave it out of the columns: name the others as data.target_columns",
        path.display()
    )]
    ConstantChannel {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its only value.
        value: f32,
    },
    /// Columns other than those of the training.
    #[error("{}: {}", path.display(), columns_changed(.expected, .missing, .unexpected))]
    ColumnsChanged {
        /// The file.
        path: PathBuf,
        /// The columns of the training.
        expected: Vec<String>,
        /// Those that the file lacks.
        missing: Vec<String>,
        /// Those that the training did not have.
        unexpected: Vec<String>,
    },
    /// Times from which the next one does not follow.
    #[error(
        "{}: the calendar of steps to come needs rows at regular times, and these are {frequency}; leave data.calendar out, or mend the times",
        path.display()
    )]
    IrregularCalendar {
        /// The file.
        path: PathBuf,
        /// How its rows follow each other.
        frequency: Frequency,
    },
    /// Times that name no date, or end with the file.
    #[error("{}: {}", path.display(), no_calendar(*.are_numbers))]
    NoCalendar {
        /// The file.
        path: PathBuf,
        /// Whether the times are mere numbers.
        are_numbers: bool,
    },
    /// A file that is no `.ts`.
    #[error("{} line {line}: no valid .ts file: {message}", path.display())]
    InvalidTs {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A series without a time step.
    #[error("{} line {line}: the series that starts here has no values; remove it", path.display())]
    EmptySeries {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
    },
    /// A series whose rows have several labels.
    #[error(
        "{} line {line}: the label {label:?}{} where its rows before have {before:?}; a series has one label in all its rows",
        path.display(), of_series(.series)
    )]
    LabelChanges {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The id of the series.
        series: String,
        /// The label on this line, shortened.
        label: String,
        /// The label of the series' first row, shortened.
        before: String,
    },
    /// A file of labelled windows that is none.
    #[error("{}: no valid file of labelled windows: {message}", path.display())]
    InvalidWindows {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}
