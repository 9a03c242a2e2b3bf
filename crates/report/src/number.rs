//! How numbers are written, the same everywhere.

/// A count, in groups of three digits: `12,345`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in [0, 1] as per cent with one decimal: `98.7 %`.
///
/// What is not all is not written as all: 0.9999 is `99.9 %`, 0.0001 is `<0.1 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return MISSING.to_owned();
    }
    let hundred = 100.0 * share;
    if share > 0.0 && hundred < 0.1 {
        return "<0.1 %".to_owned();
    }
    if share < 1.0 && hundred > 99.9 {
        return "99.9 %".to_owned();
    }
    format!("{hundred:.1} %")
}

/// A figure with four decimals, as metrics are written: `0.9871`.
#[must_use]
pub fn figure(value: f64) -> String {
    if value.is_finite() {
        positive_zero(format!("{value:.4}"))
    } else {
        MISSING.to_owned()
    }
}

/// A duration: `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return MISSING.to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Bytes in binary units: `812 KiB`, `1.4 GiB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 9.95 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// What stands where there is no number.
pub const MISSING: &str = "–";

/// `text` without the sign of a zero.
pub(crate) fn positive_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0.0, 0.0001, 0.5, 0.9999, 1.0, f64::NAN].map(percent),
            ["0.0 %", "<0.1 %", "50.0 %", "99.9 %", "100.0 %", "–"]
        );
        assert_eq!(
            [0.98714, -0.00001, f64::INFINITY].map(figure),
            ["0.9871", "0.0000", "–"]
        );
        assert_eq!(
            [0.42, 9.96, 59.6, 185.0, 7_830.0].map(duration),
            ["0.4 s", "10 s", "1 min 00 s", "3 min 05 s", "2 h 10 min"]
        );
        assert_eq!(
            [812, 831_488, 1_503_238_553].map(bytes),
            ["812 B", "812 KiB", "1.4 GiB"]
        );
    }
}
