//! The words that matter: the text in colours, and the strongest in a table.

use maud::{Markup, html};

use super::{InspectedText, WeighedWord};
use crate::table::{Column, Table};

/// Rows of the table.
const MOST_WORDS: usize = 8;
/// The end of a text that was not read, in characters.
const MOST_UNREAD: usize = 240;
/// Effects below this are no stronger in colour for being the strongest.
const LEAST_SCALE: f64 = 0.01;

pub(super) fn section(text: &InspectedText<'_>, id: &str) -> Markup {
    let has_occlusion = text.words.iter().all(|word| word.occlusion.is_some());
    let class = text.predicted().map(|(label, _)| label);
    html! {
        h3 { "Words that matter" }
        div.matter {
            fieldset.choice {
                legend { "Colour by" }
                @if has_occlusion {
                    label { input type="radio" name={ (id) "-by" } class="by-occlusion" checked; span { "occlusion" } }
                }
                label { input type="radio" name={ (id) "-by" } class="by-rollout" checked[!has_occlusion]; span { "rollout" } }
            }
            div.weighed {
                div {
                    (reader(text))
                    @if let (Some(class), true) = (class, has_occlusion) {
                        p.note.key.of-occlusion {
                            span.swatch.for {} " speaks for " (class) " "
                            span.swatch.against {} " speaks against it"
                        }
                    }
                    p.note.key.of-rollout { span.swatch.seen {} " the deeper, the more of the word reaches the answer" }
                }
                (strongest(text))
            }
        }
    }
}

/// The text itself, each word on a ground as deep as it matters.
fn reader(text: &InspectedText<'_>) -> Markup {
    let occlusion = |word: &WeighedWord<'_>| word.occlusion.unwrap_or(0.0);
    let strongest = text
        .words
        .iter()
        .map(|word| occlusion(word).abs())
        .fold(LEAST_SCALE, f64::max);
    let most_seen = text
        .words
        .iter()
        .map(|word| word.rollout)
        .fold(f64::MIN_POSITIVE, f64::max);
    let mut read_to = 0;
    let pieces: Vec<(&str, &WeighedWord<'_>, &str)> = text
        .words
        .iter()
        .map(|word| {
            let tokens = &text.tokens[word.tokens.clone()];
            let place = |token: Option<&super::PlacedToken<'_>>, end: bool| {
                token.map_or(read_to, |t| if end { t.place.end } else { t.place.start })
            };
            let start = place(tokens.first(), false).max(read_to);
            let end = place(tokens.last(), true).max(start);
            // A token may begin with the space before it.
            let whole = text.text.get(start..end).unwrap_or(word.text);
            let shown = whole.trim_start();
            let before = text.text.get(read_to..start).unwrap_or("");
            let space = if before.is_empty() {
                &whole[..whole.len() - shown.len()]
            } else {
                before
            };
            read_to = end;
            (space, word, shown)
        })
        .collect();
    let rest = text.text.get(read_to..).unwrap_or("");
    let unread: String = rest.chars().take(MOST_UNREAD).collect();
    html! {
        p.reader {
            @for (space, word, shown) in &pieces {
                (space)
                @let o = occlusion(word);
                span.word
                    .against[o < 0.0]
                    style={
                        "--o:" (format!("{:.0}", 55.0 * o.abs() / strongest))
                        ";--r:" (format!("{:.0}", 55.0 * word.rollout / most_seen))
                    }
                    title={ (effect(word)) } { (shown) }
            }
            @if !rest.trim().is_empty() && text.truncated {
                span.unread { (unread) @if unread.len() < rest.len() { "…" } }
            }
        }
        @if text.truncated {
            p.note { "The text is longer than the model reads: its end, in grey, was cut off." }
        }
    }
}

fn effect(word: &WeighedWord<'_>) -> String {
    match word.occlusion {
        Some(fall) => format!("occlusion {}, rollout {:.3}", signed(fall), word.rollout),
        None => format!("rollout {:.3}", word.rollout),
    }
}

fn strongest(text: &InspectedText<'_>) -> Table {
    let mut words: Vec<&WeighedWord<'_>> = text.words.iter().collect();
    words.sort_by(|a, b| {
        let by = |word: &WeighedWord<'_>| word.occlusion.unwrap_or(0.0).abs();
        let rollout = b.rollout.total_cmp(&a.rollout);
        by(b).total_cmp(&by(a)).then(rollout)
    });
    let columns = [
        Column::text("word"),
        Column::number("occlusion"),
        Column::number("rollout"),
    ];
    let table = Table::new("The words that matter most", columns);
    words
        .into_iter()
        .take(MOST_WORDS)
        .fold(table, |table, word| {
            let occlusion = word
                .occlusion
                .map_or(crate::number::MISSING.to_owned(), signed);
            table.with_row([
                word.text.to_owned(),
                occlusion,
                format!("{:.3}", word.rollout),
            ])
        })
}

/// A change with its sign.
fn signed(value: f64) -> String {
    let text = format!("{value:+.3}");
    match text.as_str() {
        "-0.000" | "+0.000" => "0.000".to_owned(),
        // A minus as wide as a plus.
        _ => text.replace('-', "−"),
    }
}
