//! One number of a table.

/// Why a field is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoValue {
    NotANumber,
    Infinite,
}

/// The value of a field, NaN where it is missing: empty, `NA`, `N/A`, `NaN`, `null`, `None`, `?` or `-`, in any case.
/// What 32 bits have no number for is infinite.
pub(crate) fn read_exact(text: &str) -> Result<f64, NoValue> {
    const MISSING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "?", "-"];
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(value) if (value as f32).is_infinite() => Err(NoValue::Infinite),
        Ok(value) => Ok(value),
        Err(_) if MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) => Ok(f64::NAN),
        Err(_) => Err(NoValue::NotANumber),
    }
}

/// [`read_exact`] as it is stored.
pub(crate) fn read_value(text: &str) -> Result<f32, NoValue> {
    read_exact(text).map(|value| value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_number_missing_infinite_or_no_number() {
        for missing in [
            "", " ", "NA", "n/a", "NaN", "nan", "-nan", "null", "None", "?", "-",
        ] {
            assert!(read_value(missing).unwrap().is_nan(), "{missing:?}");
        }
        assert_eq!(read_value(" -1.5e3 "), Ok(-1500.0));
        for infinite in ["inf", "-Infinity", "1e39", "-1e999"] {
            assert_eq!(read_value(infinite), Err(NoValue::Infinite), "{infinite}");
        }
        for text in ["1,5", "12 kW", "0x10", "--"] {
            assert_eq!(read_value(text), Err(NoValue::NotANumber), "{text}");
        }
    }
}
