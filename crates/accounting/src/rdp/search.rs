//! Finds the order that gives the smallest epsilon.

/// The smallest order tried is this above 1.
const SMALLEST: f64 = 0.01;
/// The largest is this. Tiny rates under much noise have their best order at some ten thousands.
const LARGEST: f64 = 131_072.0;
/// From here on orders are integers, whose moments are short sums.
const INTEGERS: f64 = 16.0;

/// The smallest value of `at(order)` that a search over all orders finds. Every value is a valid
/// bound, so that a search that misses the best order only is less tight.
pub(crate) fn smallest(at: impl Fn(f64) -> f64) -> (f64, f64) {
    let order_of = |ln_above: f64| {
        let order = 1.0 + ln_above.exp();
        if order < INTEGERS {
            order
        } else {
            order.round()
        }
    };
    let value = |ln_above: f64| at(order_of(ln_above));
    let (first, last) = (SMALLEST.ln(), LARGEST.ln());
    // Octaves, until the value has risen for several.
    let octave = std::f64::consts::LN_2;
    let (mut best, mut best_value, mut risen) = (first, f64::INFINITY, 0);
    let mut x = first;
    while x <= last && risen < 3 {
        let here = value(x);
        if here < best_value {
            (best, best_value, risen) = (x, here, 0);
        } else if best_value < f64::INFINITY {
            risen += 1;
        }
        x += octave;
    }
    // Golden section around the best octave.
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (best - octave, best + octave);
    let mut left = high - golden * (high - low);
    let mut right = low + golden * (high - low);
    let (mut left_value, mut right_value) = (value(left), value(right));
    while high - low > 3e-4 {
        // Integers that are neighbours: nothing lies between.
        if order_of(low) + 1.0 >= order_of(high) && order_of(low) >= INTEGERS {
            break;
        }
        if left_value <= right_value {
            (high, right, right_value) = (right, left, left_value);
            left = high - golden * (high - low);
            left_value = value(left);
        } else {
            (low, left, left_value) = (left, right, right_value);
            right = low + golden * (high - low);
            right_value = value(right);
        }
    }
    [(left_value, left), (right_value, right), (best_value, best)]
        .into_iter()
        .fold((f64::INFINITY, 2.0), |found, (value, x)| {
            if value < found.0 {
                (value, order_of(x))
            } else {
                found
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_valley_wherever_it_lies() {
        for bottom in [1.05, 1.7, 9.0, 64.0, 5000.0, 100_000.0] {
            let at = |order: f64| ((order - 1.0) / (bottom - 1.0f64)).ln().powi(2);
            let (value, order) = smallest(at);
            assert!(value < 1e-6, "{bottom}: {value} at {order}");
        }
    }

    #[test]
    fn infinite_values_are_passed_over() {
        let (value, _) = smallest(|order| if order < 3.0 { f64::INFINITY } else { order });
        assert!(value < 3.1);
        assert_eq!(smallest(|_| f64::INFINITY).0, f64::INFINITY);
    }
}
