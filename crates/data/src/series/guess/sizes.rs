//! How far to look back and ahead.

use super::Reason;
use super::layout::counted;

pub(super) struct Sizes {
    pub lookback: usize,
    pub horizon: usize,
    pub reasons: Vec<Reason>,
}

/// A horizon is at most this part of a series: the validation rows, a tenth, must hold a window.
const MOST_HORIZON: usize = 10;
/// Without a season, and as the multiple of a short one.
const HORIZON: usize = 24;
const SEASONS_AHEAD: usize = 4;
/// A lookback is at most this part of a series: seven tenths are to train on, and most of them are to be told.
const MOST_LOOKBACK: usize = 4;
/// Rows that a lookback has at most, unless two seasons are more.
const MOST_LOOKBACK_ROWS: usize = 512;

/// The length of a series that half of all rows have at least: one long series among many short ones says little, and so
/// do many that are too short for anything.
pub(super) fn typical(lengths: impl Iterator<Item = usize>) -> usize {
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let all: usize = lengths.iter().sum();
    let mut so_far = 0;
    let reaches_half = |length: &&usize| {
        so_far += **length;
        2 * so_far >= all
    };
    lengths.iter().find(reaches_half).copied().unwrap_or(0)
}

/// Guesses from the rows of a series and the season.
pub(super) fn sizes(rows: usize, season: Option<usize>) -> Sizes {
    let (most_ahead, most_back) = ((rows / MOST_HORIZON).max(1), (rows / MOST_LOOKBACK).max(1));
    let (wanted, why) = match season {
        Some(season) if season <= HORIZON => {
            (SEASONS_AHEAD * season, format!("{SEASONS_AHEAD} seasons"))
        }
        Some(season) => (season, "a season".to_owned()),
        None => (HORIZON, format!("{HORIZON} rows, for want of a season")),
    };
    let horizon = whole_seasons(wanted.min(most_ahead), season);
    let why = if horizon == wanted {
        why
    } else {
        format!("as many whole seasons, or rows, as a tenth of the {rows} rows holds")
    };
    let ahead = Reason {
        what: "horizon",
        sentence: format!("{} ahead: {why}.", counted(horizon, "row")),
    };
    let (wanted, why) = match season {
        Some(season) if 2 * season > MOST_LOOKBACK_ROWS => (2 * season, "two seasons".to_owned()),
        Some(season) => {
            let wanted = (7 * horizon / 2).clamp(2 * season, MOST_LOOKBACK_ROWS);
            (
                wanted
                    .next_multiple_of(season)
                    .min(MOST_LOOKBACK_ROWS / season * season),
                "whole seasons of about three and a half horizons".to_owned(),
            )
        }
        None => (
            (4 * horizon).min(MOST_LOOKBACK_ROWS),
            "four horizons".to_owned(),
        ),
    };
    let lookback = whole_seasons(wanted.min(most_back), season);
    let why = if lookback == wanted {
        why
    } else {
        format!("what a quarter of the {rows} rows holds")
    };
    let back = Reason {
        what: "lookback",
        sentence: format!("{} back: {why}.", counted(lookback, "row")),
    };
    Sizes {
        lookback,
        horizon,
        reasons: vec![ahead, back],
    }
}

/// The most whole seasons in so many rows; the rows themselves where there is none.
fn whole_seasons(rows: usize, season: Option<usize>) -> usize {
    match season {
        Some(season) if rows >= season => rows / season * season,
        _ => rows,
    }
}
