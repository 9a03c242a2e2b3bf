//! Amounts of memory as people write them.

const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads `"2 GiB"`, `"1.5GiB"`, `"512 MiB"`, `"64 KiB"` or `"4096 B"`; nothing is no amount.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    // The longest units first: each ends with the last one.
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))?;
    // `f64::from_str` also reads "inf" and "1e9".
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    (bytes >= 1.0 && bytes < 2_f64.powi(53)).then_some(bytes as u64)
}

/// Writes an amount as [`parse_size`] reads it, to the byte.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let (name, unit) = UNITS
        .into_iter()
        .find(|(_, unit)| bytes.is_multiple_of(*unit))
        .unwrap_or(("B", 1));
    format!("{} {name}", bytes / unit)
}

/// An amount as text, for serde.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::size_text(*bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_size(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is no amount of memory")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_what_it_writes() {
        for (text, bytes, written) in [
            ("2 GiB", 2 << 30, "2 GiB"),
            ("1.5GiB", 3 << 29, "1536 MiB"),
            (" 512 MiB ", 512 << 20, "512 MiB"),
            ("64 KiB", 64 << 10, "64 KiB"),
            ("1025 B", 1025, "1025 B"),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
            assert_eq!(size_text(bytes), written);
            assert_eq!(parse_size(written), Some(bytes));
        }
        for text in [
            "",
            "GiB",
            "2",
            "2 GB",
            "-1 MiB",
            "0 GiB",
            "1e9 B",
            "inf B",
            "99999999 GiB",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
