//! Parts of messages: what a person is told beyond the bare fault, kept short whatever the data hold.

use crate::series::TimeForm;

pub(crate) fn ragged_hint(quoting: bool) -> &'static str {
    if quoting {
        "put a field that holds commas or quotes in double quotes"
    } else {
        "TSV has no quoting: a tab always parts two fields"
    }
}

/// Names for a message: the first few, quoted.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{:?}", excerpt(name)))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {:?}?", excerpt(name)))
        .unwrap_or_default()
}

/// What to do if the only column's name is a whole header with another separator.
pub(crate) fn other_separator(columns: &[String]) -> &'static str {
    match columns {
        [only] if only.contains('\t') => "; its fields are parted by tabs: read it as tsv",
        [only] if only.contains(',') => "; its fields are parted by commas: read it as csv",
        [only] if only.contains(';') => {
            "; its fields are parted by semicolons: save it with commas"
        }
        _ => "",
    }
}

/// ` of series "a"`, or nothing where there is but one without a name.
pub(crate) fn of_series(id: &str) -> String {
    match id {
        "" => String::new(),
        id => format!(" of series {:?}", excerpt(id)),
    }
}

/// Forms of times for a message.
pub(crate) fn time_forms(forms: &[TimeForm]) -> String {
    let names: Vec<String> = forms.iter().map(ToString::to_string).collect();
    names.join(", ")
}

pub(crate) fn columns_changed(
    expected: &[String],
    missing: &[String],
    unexpected: &[String],
) -> String {
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("the columns {} are missing", listed(missing)));
    }
    if !unexpected.is_empty() {
        faults.push(format!("the columns {} are new", listed(unexpected)));
    }
    if faults.is_empty() {
        faults.push("the columns are in another order".to_owned());
    }
    format!(
        "{}; the model was trained on {}",
        faults.join(" and "),
        listed(expected)
    )
}

pub(crate) fn no_calendar(are_numbers: bool) -> &'static str {
    if are_numbers {
        "the times are numbers that name no date, so there is no calendar; switch the calendar off"
    } else {
        "no time follows behind the last row, whose frequency is irregular, so there is no calendar; switch the calendar off"
    }
}

/// At most 80 characters of a value from the data: errors must not pour a file into a log.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The name that is most like the wanted one, if any is like it at all.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    const ALIKE: f64 = 0.5;
    // Both shortened: the comparison costs the product of the lengths, which a hostile file chooses.
    let wanted = excerpt(wanted).to_lowercase();
    names
        .into_iter()
        .take(1_000)
        .map(|name| {
            (
                strsim::normalized_damerau_levenshtein(&wanted, &excerpt(name).to_lowercase()),
                name,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name.to_owned())
}
