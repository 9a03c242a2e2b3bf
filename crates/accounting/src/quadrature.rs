//! Gauss–Legendre quadrature over panels.

/// Half of the nodes and weights of the rule with six points on [-1, 1].
const SIX: [(f64, f64); 3] = [
    (0.238_619_186_083_196_9, 0.467_913_934_572_691_04),
    (0.661_209_386_466_264_5, 0.360_761_573_048_138_6),
    (0.932_469_514_203_152, 0.171_324_492_379_170_36),
];

/// More panels than this make no answer within any patience.
const MOST_PANELS: f64 = 1e5;

/// Calls `node(x, weight)` for every node of the panels into which `from..to` is cut, each at most
/// `width` wide; false if that would take too many, and then none is called.
#[must_use]
pub(crate) fn nodes(from: f64, to: f64, width: f64, mut node: impl FnMut(f64, f64)) -> bool {
    if from >= to {
        return true;
    }
    let panels = ((to - from) / width).ceil();
    // False for NaN as well.
    let possible = panels <= MOST_PANELS;
    if !possible {
        return false;
    }
    let half = (to - from) / panels / 2.0;
    let mut panel = 0.0;
    while panel < panels {
        let centre = from + (2.0 * panel + 1.0) * half;
        // From left to right: what grows with x comes out sorted.
        for (at, weight) in SIX.iter().rev() {
            node(centre - at * half, weight * half);
        }
        for (at, weight) in &SIX {
            node(centre + at * half, weight * half);
        }
        panel += 1.0;
    }
    true
}

/// The rule with three points, for a panel over which everything is nearly flat.
pub(crate) fn three(from: f64, to: f64, mut node: impl FnMut(f64, f64)) {
    let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
    let away = 0.774_596_669_241_483_4 * half;
    node(centre - away, half * 5.0 / 9.0);
    node(centre, half * 8.0 / 9.0);
    node(centre + away, half * 5.0 / 9.0);
}

/// A sum that keeps what each addition rounds off (Neumaier).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let next = self.total + term;
        self.lost += if self.total.abs() >= term.abs() {
            (self.total - next) + term
        } else {
            (term - next) + self.total
        };
        self.total = next;
    }

    pub(crate) fn get(&self) -> f64 {
        self.total + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_of_degree_eleven_is_exact_in_one_panel() {
        let mut total = 0.0;
        let all = nodes(-1.0, 3.0, 4.0, |x, weight| total += weight * x.powi(11));
        let exact = (3f64.powi(12) - 1.0) / 12.0;
        assert!(all && (total / exact - 1.0).abs() < 1e-14);
        let mut total = 0.0;
        three(-1.0, 3.0, |x, weight| total += weight * x.powi(5));
        assert!((total / ((3f64.powi(6) - 1.0) / 6.0) - 1.0).abs() < 1e-14);
    }

    #[test]
    fn nothing_is_added_where_there_is_no_range_or_no_end() {
        let none = |from, to| {
            nodes(from, to, 0.1, |_, _| {
                panic!("a node between {from} and {to}")
            })
        };
        assert!(none(1.0, 1.0) && none(2.0, 1.0));
        assert!(!none(f64::NAN, 1.0) && !none(f64::NEG_INFINITY, 0.0) && !none(0.0, 1e300));
    }

    #[test]
    fn a_sum_keeps_what_is_small() {
        let mut sum = Sum::default();
        sum.add(1.0);
        (0..1000).for_each(|_| sum.add(1e-17));
        assert_eq!(sum.get(), 1.0 + 1e-14);
    }
}
