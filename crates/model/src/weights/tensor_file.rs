//! Named tensors on the host, and the safetensors format.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::ModelError;

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// The extent of each dimension.
    pub shape: Vec<usize>,
    /// The values, last dimension fastest.
    pub values: Vec<f32>,
}

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorFile {
    tensors: BTreeMap<String, HostTensor>,
}

impl TensorFile {
    /// Adds a tensor; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<String>, tensor: HostTensor) {
        self.tensors.insert(name.into(), tensor);
    }

    /// A tensor.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&HostTensor> {
        self.tensors.get(name)
    }

    /// Takes a tensor out.
    pub fn take(&mut self, name: &str) -> Option<HostTensor> {
        self.tensors.remove(name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The number of values in all tensors.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.tensors
            .values()
            .map(|tensor| tensor.values.len())
            .sum()
    }

    /// The file's bytes: safetensors, f32, the same bytes for the same tensors.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let raw: Vec<Vec<u8>> = self
            .tensors
            .values()
            .map(|tensor| tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let views = self.tensors.iter().zip(&raw).map(|((name, tensor), raw)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), raw)
                .expect("a host tensor holds as many values as its shape says");
            (name.clone(), view)
        });
        safetensors::serialize(views, None)
            .expect("serialising fails only for views whose sizes do not match")
    }

    /// Reads a safetensors file of f32 tensors.
    ///
    /// `what` names the file in errors.
    ///
    /// # Errors
    ///
    /// [`ModelError::Format`] if the bytes are no such file, name a tensor twice, or hold another
    /// type of number.
    pub fn from_bytes(bytes: &[u8], what: &str) -> Result<Self, ModelError> {
        Self::read(bytes, bytes.len() as u64, what)
    }

    /// [`TensorFile::from_bytes`] of a file of `length` bytes, one tensor after the other: the file's bytes are never in
    /// memory beside its tensors.
    ///
    /// # Errors
    ///
    /// As [`TensorFile::from_bytes`], and [`ModelError::Io`] if the file cannot be read.
    pub fn read(mut file: impl Read, length: u64, what: &str) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::Format {
            what: what.to_owned(),
            reason,
        };
        let io = |source| ModelError::Io {
            path: what.into(),
            source,
        };
        let mut start = Vec::new();
        (&mut file).take(8).read_to_end(&mut start).map_err(io)?;
        // Other formats come last: the length of a sound header may look like one.
        let unsound = |reason: String| wrong(other_format(&start).unwrap_or(reason));
        let header = header_length(&start, length).map_err(&unsound)?;
        let mut json = Vec::with_capacity(header as usize);
        let read = (&mut file).take(header).read_to_end(&mut json);
        read.map_err(io)?;
        let metadata = metadata(&json, length - 8 - header).map_err(&unsound)?;
        let mut tensors = BTreeMap::new();
        for name in metadata.offset_keys() {
            let info = metadata.info(&name).expect("it names its own tensors");
            if info.dtype != Dtype::F32 {
                return Err(wrong(format!(
                    "{name} holds {:?}, expected F32: convert the file",
                    info.dtype
                )));
            }
            let shape = info.shape.clone();
            let values = floats(&mut file, shape.iter().product()).map_err(io)?;
            tensors.insert(name, HostTensor { shape, values });
        }
        Ok(Self { tensors })
    }
}

/// Reads `n` numbers.
fn floats(file: &mut impl Read, n: usize) -> std::io::Result<Vec<f32>> {
    let mut values = Vec::with_capacity(n);
    let mut chunk = vec![0; (4 * n).min(1 << 20)];
    while values.len() < n {
        let bytes = (4 * (n - values.len())).min(chunk.len());
        let chunk = &mut chunk[..bytes];
        file.read_exact(chunk)?;
        let fours = chunk.as_chunks::<4>().0.iter();
        values.extend(fours.map(|four| f32::from_le_bytes(*four)));
    }
    Ok(values)
}

/// What the first eight bytes of a file of `length` bytes say of its header's length.
fn header_length(start: &[u8], length: u64) -> Result<u64, String> {
    let start = <[u8; 8]>::try_from(start).ok();
    let header = start.map(u64::from_le_bytes);
    header
        .filter(|header| length.checked_sub(8).is_some_and(|rest| *header <= rest))
        .ok_or_else(|| "the file ends inside its header".to_owned())
}

/// Reads a header, behind which are `rest` bytes.
fn metadata(json: &[u8], rest: u64) -> Result<Metadata, String> {
    refuse_duplicates(json)?;
    let metadata: Metadata = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if metadata.data_len() as u64 != rest {
        return Err(SafeTensorError::MetadataIncompleteBuffer.to_string());
    }
    Ok(metadata)
}

/// Names the formats that people try, with the way out.
fn other_format(bytes: &[u8]) -> Option<String> {
    let found = match bytes {
        [b'P', b'K', 3, 4, ..] => "a zip archive (a PyTorch .pt file?)",
        [0x80, 2..=5, ..] => "a Python pickle",
        _ => return None,
    };
    Some(format!(
        "found {found}, which can run code when read; in Python, save the weights with `safetensors.torch.save_file` instead"
    ))
}

/// The safetensors crate keeps the last of two tensors with the same name; which one was meant is
/// not for us to guess.
fn refuse_duplicates(header: &[u8]) -> Result<(), String> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a header")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = std::collections::BTreeSet::new();
            while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                if seen.contains(&name) {
                    return Err(serde::de::Error::custom(format!(
                        "the tensor {name} stands in the file twice"
                    )));
                }
                seen.insert(name);
            }
            Ok(())
        }
    }
    serde_json::Deserializer::from_slice(header)
        .deserialize_map(Names)
        .map_err(|error| error.to_string())
}
