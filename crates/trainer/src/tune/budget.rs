//! What a search may spend.

use std::fmt;
use std::str::FromStr;

/// A longer time than anybody waits: 100 days.
const MOST_SECONDS: u64 = 100 * 24 * 3600;

/// What a search may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// About this many seconds on this machine.
    Seconds(u64),
    /// This many optimiser steps of the configuration's own batch size, in all: the same plan on every
    /// machine.
    Steps(u64),
}

impl FromStr for Budget {
    type Err = String;

    /// Reads `90s`, `20m`, `1h30m` or `5000steps`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "expected a time such as 90s, 20m or 1h30m, or a number of steps such as \
                 5000steps, found {text:?}"
            )
        };
        let trimmed = text.trim();
        if let Some(steps) = trimmed.strip_suffix("steps") {
            let steps: u64 = steps.trim_end().parse().map_err(|_| wrong())?;
            return match steps {
                0 => Err("expected at least one step".to_owned()),
                steps => Ok(Self::Steps(steps)),
            };
        }
        let mut seconds = 0_u64;
        let mut rest = trimmed;
        let mut largest = u64::MAX;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
            let unit = match rest[end..].chars().next() {
                Some('h') => 3600,
                Some('m') => 60,
                Some('s') => 1,
                _ => return Err(wrong()),
            };
            // Each unit once, the largest first: anything else is a slip.
            if unit >= largest {
                return Err(wrong());
            }
            largest = unit;
            seconds = number
                .checked_mul(unit)
                .and_then(|more| seconds.checked_add(more))
                .ok_or_else(wrong)?;
            rest = &rest[end + 1..];
        }
        match seconds {
            0 if trimmed.is_empty() => Err(wrong()),
            0 => Err("expected at least one second".to_owned()),
            seconds if seconds > MOST_SECONDS => Err("expected at most 100 days".to_owned()),
            seconds => Ok(Self::Seconds(seconds)),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Steps(steps) => write!(formatter, "{steps}steps"),
            Self::Seconds(seconds) => {
                for (unit, name, most) in [(3600, "h", u64::MAX), (60, "m", 60), (1, "s", 60)] {
                    let number = seconds / unit % most;
                    if number > 0 {
                        write!(formatter, "{number}{name}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_reads_what_it_writes() {
        for (text, budget) in [
            ("90s", Budget::Seconds(90)),
            ("1m30s", Budget::Seconds(90)),
            ("20m", Budget::Seconds(1200)),
            ("1h30m", Budget::Seconds(5400)),
            ("2h5s", Budget::Seconds(7205)),
            ("30h", Budget::Seconds(108_000)),
            ("5000steps", Budget::Steps(5000)),
            (" 5000 steps ", Budget::Steps(5000)),
        ] {
            assert_eq!(text.parse(), Ok(budget), "{text}");
            assert_eq!(budget.to_string().parse(), Ok(budget), "{text}");
        }
        assert_eq!(Budget::Seconds(5405).to_string(), "1h30m5s");
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        for text in [
            "",
            "20",
            "m",
            "-5m",
            "1.5h",
            "5d",
            "30m1h",
            "1m1m",
            "steps",
            "1e3steps",
            "99999999999999999999h",
            "18446744073709551615h",
            "é",
        ] {
            let message = text.parse::<Budget>().unwrap_err();
            assert!(message.starts_with("expected a time such as 90s"), "{text}");
        }
        for text in ["0s", "0h0m", "0steps", "2401h"] {
            assert!(
                text.parse::<Budget>().unwrap_err().contains(" at "),
                "{text}"
            );
        }
    }
}
