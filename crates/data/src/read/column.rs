//! Which column: by name or by number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A column of a file, by its name in the header or by its number from 0.
///
/// In a configuration `"text"` is a name and `1` a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// The number, from 0.
    Number(usize),
    /// The name in the header.
    Name(String),
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Name(name) => write!(formatter, "{name:?}"),
        }
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<usize> for Column {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

/// On a command line digits are a number, everything else a name.
impl FromStr for Column {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_column_number_and_a_string_a_name() {
        let columns: Vec<Column> = serde_json::from_str(r#"["text", 3, "3"]"#).unwrap();
        assert_eq!(
            columns,
            [Column::from("text"), Column::from(3), Column::from("3")]
        );
        assert_eq!("3".parse::<Column>(), Ok(Column::from(3)));
        assert_eq!("third".parse::<Column>(), Ok(Column::from("third")));
    }
}
