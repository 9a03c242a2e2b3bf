//! File formats and where rows come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::DataError;

/// How rows are laid out in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values with quoting, RFC 4180.
    Csv,
    /// Tab-separated values. There is no quoting: every tab parts two fields, every line feed two rows.
    Tsv,
    /// One JSON object a line.
    #[serde(alias = "jsonl", alias = "ndjson")]
    JsonLines,
    /// One text a line, in a single column named `text`; an empty line is an empty text.
    Lines,
    /// A folder with one folder a label in it, and one text file an example in each of those. Its columns are `text`
    /// and `label`; texts have line feeds as line ends, and none at their end.
    Folder,
}

impl Format {
    /// The format that a path's extension tells: `.csv`, `.tsv` and `.tab`, `.jsonl` and `.ndjson`, `.txt`.
    ///
    /// # Errors
    /// [`DataError::UnknownFormat`] for any other.
    pub fn of_path(path: &Path) -> Result<Self, DataError> {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("tsv" | "tab") => Ok(Self::Tsv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            Some("txt") => Ok(Self::Lines),
            _ => Err(DataError::UnknownFormat {
                path: path.to_owned(),
            }),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::JsonLines => "json-lines",
            Self::Lines => "lines",
            Self::Folder => "folder",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            "json-lines" | "jsonl" | "ndjson" => Ok(Self::JsonLines),
            "lines" => Ok(Self::Lines),
            "folder" => Ok(Self::Folder),
            _ => Err(DataError::UnknownFormatName {
                found: name.to_owned(),
            }),
        }
    }
}

/// A file, or a folder, of rows and how to read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    path: PathBuf,
    format: Option<Format>,
    header: bool,
    limits: Limits,
}

impl Source {
    /// A file with a header, its format told by its extension.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            format: None,
            header: true,
            limits: Limits::default(),
        }
    }

    /// Reads the file as this format, whatever its extension.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Whether the first row of CSV and TSV names the columns; the other formats have no header.
    #[must_use]
    pub fn with_header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// Replaces the caps on lines and columns.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The format: the one that was set; else [`Format::Folder`] where a folder is; else the one of the extension.
    ///
    /// # Errors
    /// [`DataError::UnknownFormat`] if none of them tells.
    pub fn format(&self) -> Result<Format, DataError> {
        match self.format {
            Some(format) => Ok(format),
            None if self.path.is_dir() => Ok(Format::Folder),
            None => Format::of_path(&self.path),
        }
    }

    /// Whether the first row of CSV and TSV names the columns.
    #[must_use]
    pub fn header(&self) -> bool {
        self.header
    }

    /// The caps on lines and columns.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format_in_any_case() {
        let cases = [
            ("a.csv", Format::Csv),
            ("a.TSV", Format::Tsv),
            ("a.tab", Format::Tsv),
            ("a.jsonl", Format::JsonLines),
            ("a.ndjson", Format::JsonLines),
            ("a.b.txt", Format::Lines),
        ];
        for (path, format) in cases {
            assert_eq!(Format::of_path(Path::new(path)).unwrap(), format, "{path}");
        }
    }

    #[test]
    fn a_set_format_wins_over_the_extension() {
        let source = Source::new("rows.data").with_format(Format::Tsv);
        assert_eq!(source.format().unwrap(), Format::Tsv);
        assert_eq!(
            Source::new("rows.data").format().unwrap_err().to_string(),
            "rows.data: the format cannot be told from the extension; rename the file to .csv, .tsv, .jsonl or .txt, or name the format"
        );
    }

    #[test]
    fn a_format_reads_back_its_own_name() {
        for format in [
            Format::Csv,
            Format::Tsv,
            Format::JsonLines,
            Format::Lines,
            Format::Folder,
        ] {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
            assert_eq!(serde_json::to_value(format).unwrap(), format.to_string());
        }
        assert_eq!(
            "xlsx".parse::<Format>().unwrap_err().to_string(),
            "no format is called \"xlsx\"; expected csv, tsv, json-lines, lines or folder"
        );
    }
}
