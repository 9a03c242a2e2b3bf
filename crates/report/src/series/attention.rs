//! Attention over the patches of one window.

use maud::{Markup, html};

use super::Attention;
use crate::chart::{Axis, Bar, BarChart, Cell, Colour, HeatMap};
use crate::number::percent;

/// Names of columns that have room beside each other.
const MOST_NAMES: usize = 16;

pub(super) fn section(attention: &Attention) -> Markup {
    let length = attention.patches.iter().map(|(from, to)| to - from).max();
    html! {
        p {
            "The window that was forecast worst, from " (attention.begins) " on, in the channel " (attention.channel)
            " that was worst in it. The model reads pieces of " (length.unwrap_or(0)) " steps, and each of its heads "
            "weighs them. Step 0 is the first that is told. A piece with a large weight was looked at, whatever it then "
            "spoke for; what a linear skip or the calendar adds is not shown."
        }
        div.charts { (reach(attention)) (heads(attention)) }
    }
}

fn reach(attention: &Attention) -> Markup {
    let patches = &attention.patches;
    // Patches overlap: a bar is as wide as the way to the next patch.
    let next = patches.iter().skip(1).map(|(from, _)| *from);
    let ends = next.chain(patches.last().map(|(_, to)| *to));
    let bars = patches.iter().zip(ends).zip(&attention.reach);
    let bars: Vec<Bar> = bars
        .map(|(((from, _), to), share)| Bar {
            colour: Colour::Heat,
            ..Bar::new(*from as f64, to as f64, 100.0 * share)
        })
        .collect();
    let x = patches
        .iter()
        .flat_map(|(from, to)| [*from as f64, *to as f64]);
    let even = 1.0 / patches.len().max(1) as f64;
    let y = bars.iter().map(|bar| bar.value).chain([0.0]);
    BarChart::new(
        "What reaches the forecast",
        Axis::tight("step, 0 is the first told", x),
        Axis::rounded("share (%)", y),
        bars,
    )
    .with_note(format!(
        "Attention rollout through all layers; a model that attends to all pieces alike gives each {}.",
        percent(even)
    ))
    .figure()
}

fn heads(attention: &Attention) -> Markup {
    let largest = (attention.heads.iter().flat_map(|(_, weights)| weights))
        .fold(0.0_f64, |largest, weight| largest.max(*weight));
    let every = attention.patches.len().div_ceil(MOST_NAMES).max(1);
    let names = attention.patches.iter().enumerate();
    let names = names.map(|(patch, (from, _))| match patch % every {
        0 => from.to_string(),
        _ => String::new(),
    });
    let cells = attention.heads.iter().map(|(_, weights)| {
        let cell = |weight: &f64| Cell {
            depth: weight / largest.max(f64::MIN_POSITIVE),
            ..Cell::default()
        };
        weights.iter().map(cell).collect()
    });
    let rows = attention.heads.iter().map(|(name, _)| name.clone());
    HeatMap::new(
        "What each head looks at",
        rows.collect(),
        names.collect(),
        cells.collect(),
    )
    .with_axes("head", "first step of the piece")
    .with_note(format!(
        "The mean weight that each piece gets from all; the deepest colour is {}.",
        percent(largest)
    ))
    .figure()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_has_a_bar_and_every_head_a_row() {
        let attention = Attention {
            channel: "load <b>".to_owned(),
            begins: "2024-01-01".to_owned(),
            patches: vec![(-8, -4), (-6, -2), (-4, 0)],
            heads: vec![
                ("layer 0, head 0".to_owned(), vec![0.25, 0.25, 0.5]),
                ("layer 0, head 1".to_owned(), vec![0.0, 0.0, 1.0]),
            ],
            reach: vec![0.25, 0.25, 0.5],
        };
        let html = section(&attention).into_string();
        // Three bars, and three cells for each of two heads.
        assert_eq!(html.matches("<rect").count(), 3 + 6, "{html}");
        for part in [
            "pieces of 4 steps",
            "load &lt;b&gt;",
            "layer 0, head 1",
            "deepest colour is 100",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
