//! JSON Lines rows: one object a line, its values kept as they were written.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::wording::excerpt;

/// Keys and values of one object in the order of the line.
pub(super) struct Object(pub(super) Vec<(String, Box<RawValue>)>);

impl Object {
    /// Parses a line that holds an object of at most `limit` keys.
    pub(super) fn parse(line: &str, limit: usize) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let object = Pairs { limit }.deserialize(&mut deserializer);
        object
            .and_then(|object| deserializer.end().map(|()| object))
            .map_err(|error| {
                let message = error.to_string();
                // serde_json counts lines from the beginning of the string, which is always line 1 here.
                match message.split_once(" at line 1 column ") {
                    Some((what, column)) => format!("{what} at byte {column}"),
                    None => message,
                }
            })
    }
}

struct Pairs {
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object such as {\"text\": \"…\", \"label\": \"…\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut pairs: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            if pairs.len() == self.limit {
                return Err(A::Error::custom(format_args!(
                    "more than {} keys",
                    self.limit
                )));
            }
            pairs.push(pair);
        }
        if let Some(name) = repeated_key(&pairs) {
            // JSON leaves open which of the two values counts.
            return Err(A::Error::custom(format_args!(
                "the key {:?} occurs twice",
                excerpt(name)
            )));
        }
        Ok(Object(pairs))
    }
}

fn repeated_key(pairs: &[(String, Box<RawValue>)]) -> Option<&str> {
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
        .windows(2)
        .find(|two| two[0] == two[1])
        .map(|two| two[0])
}
