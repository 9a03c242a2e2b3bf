//! Accounting by Rényi differential privacy.

mod moment;
mod search;

use crate::error::{AccountingError, check_delta, check_epsilon};
use crate::event::{Adjacency, Event, Step, steps_of};
use crate::pair::{Direction, Dominating};

/// The accountant by Rényi differential privacy (Mironov 2017, <https://arxiv.org/abs/1702.07476>):
/// upper bounds in microseconds, some per cent to several times looser than [`Pld`](crate::Pld).
///
/// The divergence of order `a` of every step is that of its dominating pair: for Poisson samples by
/// the sum of Mironov, Talwar and Zhang 2019 (<https://arxiv.org/abs/1908.10530>) at integer orders,
/// elsewhere by an integral. Divergences of one order add up; the sum `R` becomes
/// `epsilon = R + ln(1 - 1/a) - ln(delta a) / (a - 1)` (Balle et al. 2020,
/// <https://arxiv.org/abs/1905.09982>; Canonne, Kamath and Steinke 2020,
/// <https://arxiv.org/abs/2004.00010>, proposition 12), of which the smallest over all orders counts.
///
/// ```
/// use regard_accounting::{Adjacency, Event, Rdp};
///
/// let training = Event::dp_sgd(0.01, 1.0, 1000);
/// let epsilon = Rdp::new(&training, Adjacency::AddRemove)?.epsilon(1e-5)?;
/// assert!(epsilon > 2.10 && epsilon < 2.11);
/// # Ok::<(), regard_accounting::AccountingError>(())
/// ```
///
/// # Guarantee
///
/// What is returned is an upper bound, whatever the orders.
///
/// | question | answer |
/// |---|---|
/// | a step without noise, or delta 0 | infinity |
/// | no step, or none that draws anything | 0 |
#[derive(Clone, Debug)]
pub struct Rdp {
    steps: Vec<(Dominating, u64)>,
    bare: bool,
    orders: Option<Vec<f64>>,
}

impl Rdp {
    /// Accounts for `event` under `adjacency`. The best order is searched, from 1.01 to some
    /// millions.
    ///
    /// # Errors
    ///
    /// If an argument of the event is outside its range, or the event has no bound under this
    /// adjacency.
    pub fn new(event: &Event, adjacency: Adjacency) -> Result<Self, AccountingError> {
        Ok(Self::of_steps(&steps_of(event, adjacency)?))
    }

    pub(crate) fn of_steps(steps: &[(Step, u64)]) -> Self {
        // A removed unit has the larger divergence at every order (Mironov, Talwar, Zhang 2019,
        // theorem 5).
        let dominating =
            |(step, count): &(Step, u64)| (Dominating::of(step, Direction::Removed), *count);
        Self {
            steps: steps.iter().map(dominating).collect(),
            bare: steps.iter().any(|(step, _)| *step == Step::Bare),
            orders: None,
        }
    }

    /// Considers these orders alone.
    ///
    /// # Errors
    ///
    /// If there is none, or one that is not a finite number above 1.
    pub fn with_orders(mut self, orders: &[f64]) -> Result<Self, AccountingError> {
        if orders.is_empty() {
            return Err(AccountingError::NoOrders);
        }
        if let Some(found) = orders
            .iter()
            .find(|order| !(**order > 1.0 && order.is_finite()))
        {
            return Err(AccountingError::Order { found: *found });
        }
        self.orders = Some(orders.to_vec());
        Ok(self)
    }

    /// The Rényi divergence of `order` of everything together.
    ///
    /// # Errors
    ///
    /// If `order` is not a finite number above 1.
    pub fn divergence(&self, order: f64) -> Result<f64, AccountingError> {
        if !(order > 1.0 && order.is_finite()) {
            return Err(AccountingError::Order { found: order });
        }
        Ok(self.total(order))
    }

    /// An upper bound on epsilon at `delta`.
    ///
    /// # Errors
    ///
    /// If `delta` is outside [0, 1).
    pub fn epsilon(&self, delta: f64) -> Result<f64, AccountingError> {
        Ok(self.epsilon_and_order(delta)?.0)
    }

    /// An upper bound on epsilon at `delta`, and the order that gave it.
    ///
    /// # Errors
    ///
    /// If `delta` is outside [0, 1).
    pub fn epsilon_and_order(&self, delta: f64) -> Result<(f64, f64), AccountingError> {
        check_delta(delta)?;
        Ok(self.smallest(|order| {
            let divergence = self.total(order);
            // Pinsker's inequality of Bretagnolle and Huber: delta at epsilon 0.
            if delta * delta + (-divergence).exp_m1() > 0.0 {
                return 0.0;
            }
            let epsilon =
                divergence + (-1.0 / order).ln_1p() - (delta.ln() + order.ln()) / (order - 1.0);
            if self.steps.is_empty() {
                0.0
            } else {
                epsilon.max(0.0)
            }
        }))
    }

    /// An upper bound on delta at `epsilon`.
    ///
    /// # Errors
    ///
    /// If `epsilon` is negative or NaN.
    pub fn delta(&self, epsilon: f64) -> Result<f64, AccountingError> {
        check_epsilon(epsilon)?;
        if self.steps.is_empty() {
            return Ok(0.0);
        }
        if self.bare {
            return Ok(1.0);
        }
        let (ln_delta, _) = self.smallest(|order| {
            (order - 1.0) * (self.total(order) - epsilon + (-1.0 / order).ln_1p()) - order.ln()
        });
        Ok(ln_delta.exp().min(1.0))
    }

    fn smallest(&self, at: impl Fn(f64) -> f64) -> (f64, f64) {
        // A bound that is no number is no bound.
        let at = |order: f64| {
            let value = at(order);
            if value.is_nan() { f64::INFINITY } else { value }
        };
        let Some(orders) = &self.orders else {
            return search::smallest(at);
        };
        let first = (f64::INFINITY, orders[0]);
        orders.iter().fold(first, |best, order| {
            let value = at(*order);
            if value < best.0 {
                (value, *order)
            } else {
                best
            }
        })
    }

    fn total(&self, order: f64) -> f64 {
        if self.bare {
            return f64::INFINITY;
        }
        let of = |(step, count): &(Dominating, u64)| {
            *count as f64 * moment::ln_moment(step, order) / (order - 1.0)
        };
        self.steps.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_mean_nothing_are_refused() {
        let rdp = Rdp::new(&Event::dp_sgd(0.1, 1.0, 1), Adjacency::AddRemove).unwrap();
        assert_eq!(
            rdp.clone().with_orders(&[]).unwrap_err().to_string(),
            "orders: expected at least one, found none; `Rdp::new` chooses orders by itself"
        );
        for order in [1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert!(rdp.clone().with_orders(&[2.0, order]).is_err());
            assert!(rdp.divergence(order).is_err());
        }
    }

    #[test]
    fn the_search_finds_no_less_than_a_dense_grid() {
        let low = (1..200).map(|i| 1.0 + f64::from(i) * 0.05);
        let grid: Vec<f64> = low.chain((11..600).map(f64::from)).collect();
        for (rate, noise, steps, delta) in [
            (0.01, 1.0, 1000, 1e-5),
            (0.5, 10.0, 5000, 1e-5),
            (1e-3, 10.0, 50_000, 1e-10),
            (0.01, 0.3, 100, 1e-5),
        ] {
            let rdp = Rdp::new(&Event::dp_sgd(rate, noise, steps), Adjacency::AddRemove).unwrap();
            let searched = rdp.epsilon(delta).unwrap();
            let gridded = rdp.with_orders(&grid).unwrap().epsilon(delta).unwrap();
            assert!(searched <= gridded * (1.0 + 1e-6), "{searched} {gridded}");
        }
    }
}
