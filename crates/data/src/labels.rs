//! Label names and their ids.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::wording::nearest;

/// The labels of a data set in a fixed order; a label's id is its place.
///
/// Serialised as the plain list of names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Labels {
    names: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Labels {
    /// Labels in the given order, from a configuration or a saved model.
    ///
    /// # Errors
    /// If a name is empty or occurs twice.
    pub fn new(names: Vec<String>) -> Result<Self, DataError> {
        let mut ids = HashMap::with_capacity(names.len());
        for (id, name) in (0_u32..).zip(&names) {
            if name.is_empty() {
                return Err(DataError::EmptyLabelName {
                    place: id as usize + 1,
                });
            }
            if ids.insert(name.clone(), id).is_some() {
                return Err(DataError::RepeatedLabel {
                    label: name.clone(),
                });
            }
        }
        Ok(Self { names, ids })
    }

    /// Labels found in data, in their natural order: by value if all are numbers, else by their characters.
    ///
    /// # Errors
    /// As [`Labels::new`].
    pub fn sorted(mut names: Vec<String>) -> Result<Self, DataError> {
        names.sort_unstable();
        let numbers: Option<Vec<f64>> = names
            .iter()
            .map(|name| name.parse().ok().filter(|number: &f64| number.is_finite()))
            .collect();
        if let Some(numbers) = numbers {
            let mut keyed: Vec<(f64, String)> = numbers.into_iter().zip(names).collect();
            keyed.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
            names = keyed.into_iter().map(|(_, name)| name).collect();
        }
        Self::new(names)
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in the order of their ids.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of an id.
    #[must_use]
    pub fn name(&self, id: u32) -> Option<&str> {
        self.names.get(id as usize).map(String::as_str)
    }

    /// The id of a name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The label that is most like a name that is none.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<String> {
        nearest(name, self.names.iter().map(String::as_str))
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for Labels {}

impl TryFrom<Vec<String>> for Labels {
    type Error = DataError;

    fn try_from(names: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(names)
    }
}

impl From<Labels> for Vec<String> {
    fn from(labels: Labels) -> Self {
        labels.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        Labels::sorted(names.iter().map(|name| (*name).to_owned()).collect())
            .unwrap()
            .names
    }

    #[test]
    fn numbers_sort_by_value_and_everything_else_by_characters() {
        assert_eq!(sorted(&["10", "9", "-1", "2.5"]), ["-1", "2.5", "9", "10"]);
        assert_eq!(sorted(&["1", "01", "1.0"]), ["01", "1", "1.0"]);
        assert_eq!(sorted(&["10", "9", "other"]), ["10", "9", "other"]);
        assert_eq!(sorted(&["10", "9", "nan"]), ["10", "9", "nan"]);
        assert_eq!(sorted(&["spam", "ham"]), ["ham", "spam"]);
    }

    #[test]
    fn a_list_of_labels_keeps_its_order_and_round_trips() {
        let labels: Labels = serde_json::from_str(r#"["b", "a"]"#).unwrap();
        assert_eq!(
            (labels.id("b"), labels.id("a"), labels.id("c")),
            (Some(0), Some(1), None)
        );
        assert_eq!((labels.name(1), labels.name(2)), (Some("a"), None));
        assert_eq!(serde_json::to_string(&labels).unwrap(), r#"["b","a"]"#);
    }

    #[test]
    fn a_faulty_list_is_refused() {
        let error = |names: &[&str]| {
            Labels::new(names.iter().map(|name| (*name).to_owned()).collect())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(&["a", "b", "a"]),
            "the list of labels names \"a\" twice; name each label once"
        );
        assert_eq!(
            error(&["a", ""]),
            "the list of labels has an empty name at place 2; remove it"
        );
    }
}
