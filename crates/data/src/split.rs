//! A held-out share of one file, the same for every run.

use crate::DataError;

/// Rows of one file in two parts, each in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub rest: Vec<usize>,
    /// Rows to measure on.
    pub held_out: Vec<usize>,
}

/// Draws `share` of the rows, stratified by label: every label is held out in its proportion, to the nearest row, but
/// never all rows of a label.
///
/// The draw is keyed by a constant and not by a run's seed, so that runs with different seeds are measured on the same
/// rows. It depends on the labels and their order alone.
///
/// # Errors
/// If `share` is not in (0, 1) or leaves one part without rows.
pub fn stratified(labels: &[u32], share: f64) -> Result<Split, DataError> {
    if !(share > 0.0 && share < 1.0) {
        return Err(DataError::ShareOutOfRange { share });
    }
    let classes = labels.iter().max().map_or(0, |label| *label as usize + 1);
    let mut sizes = vec![0; classes];
    labels.iter().for_each(|label| sizes[*label as usize] += 1);
    let mut rows_of_class: Vec<Vec<usize>> =
        sizes.iter().map(|size| Vec::with_capacity(*size)).collect();
    for (row, label) in labels.iter().enumerate() {
        rows_of_class[*label as usize].push(row);
    }
    let key = blake3::Hasher::new_derive_key("Regard stratified split, version 1");
    let mut is_held_out = vec![false; labels.len()];
    for ((class, rows), quota) in rows_of_class
        .into_iter()
        .enumerate()
        .zip(quotas(&sizes, share))
    {
        if quota == 0 {
            continue;
        }
        // The least by a hash of the row are a draw that any program can repeat. Of a hash eight bytes are held: they
        // decide but for one pair in 2^64, where the whole hashes are made again.
        let mut drawn: Vec<(u64, usize)> = rows
            .into_iter()
            .map(|row| (leading(draw(&key, class, row)), row))
            .collect();
        drawn.select_nth_unstable_by(quota - 1, |a, b| {
            (a.0.cmp(&b.0)).then_with(|| draw(&key, class, a.1).cmp(&draw(&key, class, b.1)))
        });
        drawn[..quota]
            .iter()
            .for_each(|(_, row)| is_held_out[*row] = true);
    }
    let (held_out, rest): (Vec<usize>, Vec<usize>) =
        (0..labels.len()).partition(|row| is_held_out[*row]);
    if held_out.is_empty() || rest.is_empty() {
        return Err(DataError::EmptySplit {
            share,
            rows: labels.len(),
            held_out: held_out.len(),
        });
    }
    Ok(Split { rest, held_out })
}

/// How many rows of each class to hold out: its share rounded down, then one more for the largest remainders until the
/// share of all rows is reached.
fn quotas(sizes: &[usize], share: f64) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let wanted = (total as f64 * share).round() as usize;
    let mut quotas: Vec<usize> = sizes
        .iter()
        .map(|size| (*size as f64 * share).floor() as usize)
        .collect();
    let remainder = |class: &usize| (sizes[*class] as f64 * share).fract();
    let mut with_room: Vec<usize> = (0..sizes.len())
        .filter(|class| quotas[*class] + 1 < sizes[*class])
        .collect();
    with_room.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(b)));
    let missing = wanted.saturating_sub(quotas.iter().sum());
    with_room
        .into_iter()
        .take(missing)
        .for_each(|class| quotas[class] += 1);
    quotas
}

/// The first eight bytes, in the order of the whole.
fn leading(hash: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn draw(key: &blake3::Hasher, class: usize, row: usize) -> [u8; 32] {
    let mut hasher = key.clone();
    hasher.update(&(class as u64).to_le_bytes());
    hasher.update(&(row as u64).to_le_bytes());
    *hasher.finalize().as_bytes()
}
