//! Maps in few bytes: one a weight, as text.

/// What all maps of a page may take, before base64.
pub(super) const MOST_BYTES: usize = 4 << 20;
/// Fewer tokens than this make no map worth looking at.
const FEWEST_TOKENS: usize = 16;

/// The tokens whose maps are shown: all, or, where `n_maps` maps would take more than `bytes`, the
/// first (the class token) and the stretch that weighs most. `weights` must not be empty.
pub(super) fn shown_tokens(weights: &[f64], n_maps: usize, bytes: usize) -> Vec<usize> {
    let most = (bytes / n_maps.max(1)).isqrt().max(FEWEST_TOKENS);
    if weights.len() <= most {
        return (0..weights.len()).collect();
    }
    let stretch = most - 1;
    let weight = |start: usize| weights[start..start + stretch].iter().sum::<f64>();
    // The first of equals: a NaN or a text without weights shows its beginning.
    let best = (1..=weights.len() - stretch).fold((1, weight(1)), |best, start| {
        let weight = weight(start);
        if weight > best.1 {
            (start, weight)
        } else {
            best
        }
    });
    std::iter::once(0).chain(best.0..best.0 + stretch).collect()
}

/// A map of the shown tokens: each weight over the largest, in 255 parts, and that largest weight;
/// `None` for it if a weight is not finite.
pub(super) fn quantized(weights: &[f32], len: usize, shown: &[usize]) -> (Vec<u8>, Option<f32>) {
    let cut: Vec<f32> = shown
        .iter()
        .flat_map(|query| shown.iter().map(move |key| weights[query * len + key]))
        .collect();
    if cut.iter().any(|weight| !weight.is_finite()) {
        return (vec![0; cut.len()], None);
    }
    let largest = cut.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let byte = |weight: &f32| (255.0 * weight / largest).round() as u8;
    (cut.iter().map(byte).collect(), Some(largest))
}

/// Bytes as text (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            if i <= three.len() {
                let digit = bits >> (18 - 6 * i) & 63;
                text.push(char::from(DIGITS[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_standard_has_it() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn a_map_is_cut_and_scaled_to_its_largest_weight() {
        let weights = [0.0, 0.1, 0.9, 0.2, 0.3, 0.5, 0.4, 0.2, 0.4];
        assert_eq!(
            quantized(&weights, 3, &[0, 2]),
            (vec![0, 255, 113, 113], Some(0.9))
        );
        let broken = quantized(&[f32::NAN, 1.0, 0.0, 1.0], 2, &[0, 1]);
        assert_eq!(broken, (vec![0; 4], None));
        assert_eq!(quantized(&[0.0], 1, &[0]).0, [0]);
    }

    #[test]
    fn a_long_text_shows_its_class_token_and_what_weighs_most() {
        let mut weights = vec![0.0; 100];
        weights[60] = 1.0;
        weights[75] = 1.0;
        let shown = shown_tokens(&weights, 4, 4 * 20 * 20);
        assert_eq!(shown.len(), 20);
        assert_eq!(shown[0], 0);
        assert!(shown.contains(&60) && shown.contains(&75));
        assert!(shown.windows(2).skip(1).all(|two| two[0] + 1 == two[1]));
        assert_eq!(shown_tokens(&weights, 4, 1 << 20).len(), 100);
        let all_nan = shown_tokens(&[f64::NAN; 100], 4, 1600);
        assert_eq!(all_nan, (0..20).collect::<Vec<_>>());
    }
}
