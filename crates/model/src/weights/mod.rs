//! Weights in and out: names and layout of tensors on disk, safetensors files.
//!
//! Names are the module's field names joined by dots (`blocks.0.attention.qkv.weight`), and matrices
//! lie on disk as PyTorch has them, `[d_out, d_in]`. Names and layout are the file format: they do
//! not change within a major version.

mod names;
mod tensor_file;

use std::io::BufReader;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

pub use names::{ParameterInfo, ParameterPath, parameters};
pub use tensor_file::{HostTensor, TensorFile};

use crate::error::ModelError;

/// The weights of `module`, by name, in the layout of files.
///
/// # Panics
///
/// If two parameters have the same name.
#[must_use]
pub fn collect<M: Module>(module: &M) -> TensorFile {
    let mut collector = Collector {
        path: ParameterPath::new(),
        file: TensorFile::default(),
    };
    module.visit(&mut collector);
    collector.file
}

struct Collector {
    path: ParameterPath,
    file: TensorFile,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let tensor = HostTensor::from_tensor(tensor, self.path.is_transposed());
        let name = self.path.name();
        let twin = self.file.get(&name);
        assert!(
            twin.is_none(),
            "two parameters are called {name}: rename a field"
        );
        self.file.insert(name, tensor);
    }
}

impl HostTensor {
    /// Copies a tensor to the host; `transposed` swaps the last two dimensions.
    #[must_use]
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>, transposed: bool) -> Self {
        let tensor = if transposed {
            tensor.swap_dims(D - 2, D - 1)
        } else {
            tensor
        };
        let shape = tensor.dims().to_vec();
        let values = tensor
            .into_data()
            .try_into_vec_as::<f32>()
            .expect("a float tensor converts to f32");
        Self { shape, values }
    }

    /// Copies the values into a tensor like `like`; `transposed` swaps the last two dimensions back.
    ///
    /// # Panics
    ///
    /// If the shape is not that of `like` in the layout of files.
    #[must_use]
    pub fn into_tensor<const D: usize>(self, like: &Tensor<D>, transposed: bool) -> Tensor<D> {
        let data = self.into_data(&like.dims(), transposed);
        Tensor::from_data(data, (&like.device(), like.dtype()))
    }

    fn into_data(self, expected: &[usize], transposed: bool) -> TensorData {
        let Self { mut shape, values } = self;
        let values = if transposed {
            let values = swap_last_two(&values, &shape);
            let last = shape.len() - 1;
            shape.swap(last - 1, last);
            values
        } else {
            values
        };
        assert_eq!(shape, expected, "the caller checks shapes");
        TensorData::new(values, shape)
    }
}

/// Swaps the last two dimensions on the host: a tensor swapped on the device would keep its values
/// where they were and only read them in another order, and products of such a tensor are rounded
/// differently, so that a run that continues would part from one that was not interrupted.
fn swap_last_two(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let [.., rows, columns] = *shape else {
        return values.to_vec();
    };
    let mut swapped = Vec::with_capacity(values.len());
    for matrix in values.chunks_exact((rows * columns).max(1)) {
        for column in 0..columns {
            swapped.extend((0..rows).map(|row| matrix[row * columns + column]));
        }
    }
    swapped
}

/// Puts the tensors of `file` into `module`, which must have exactly these parameters. Those that were not drawn yet
/// ([`deferred`](regard_ops::deferred)) never are.
///
/// `what` names the file in errors.
///
/// # Errors
///
/// [`ModelError::Mismatch`] with every tensor that is missing, unknown or of another shape; the
/// module is not touched then.
///
/// # Panics
///
/// If two parameters of the module have the same name.
pub fn apply<M: Module>(module: M, mut file: TensorFile, what: &str) -> Result<M, ModelError> {
    let mut problems = Vec::new();
    let expected = parameters(&module);
    for parameter in &expected {
        match file.get(&parameter.name) {
            None => problems.push(format!("{} is missing", parameter.name)),
            Some(found) if found.shape != parameter.shape => problems.push(format!(
                "{} has the shape {:?}, expected {:?}",
                parameter.name, found.shape, parameter.shape
            )),
            Some(_) => {}
        }
    }
    for name in file.names() {
        if !expected.iter().any(|parameter| parameter.name == name) {
            problems.push(format!("{name} is not a parameter of the model"));
        }
    }
    if !problems.is_empty() {
        return Err(ModelError::Mismatch {
            what: what.to_owned(),
            problems,
        });
    }
    Ok(module.map(&mut Loader {
        path: ParameterPath::new(),
        file: &mut file,
    }))
}

struct Loader<'a> {
    path: ParameterPath,
    file: &'a mut TensorFile,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let values = self.file.take(&name);
        // All names were there a moment ago: one that is gone was asked for before.
        let Some(values) = values else {
            panic!("two parameters are called {name}: rename a field");
        };
        let transposed = self.path.is_transposed();
        if !param.is_initialized() {
            // What was never drawn is not drawn now.
            let data = values.into_data(param.lazy_shape().as_slice(), transposed);
            let tensor = Tensor::from_data(data, &param.lazy_device());
            let id = param.id;
            return param.transform_for_load(tensor, id);
        }
        param.map(|old| {
            let tracked = old.is_require_grad();
            let new = values.into_tensor(&old, transposed).detach();
            if tracked { new.require_grad() } else { new }
        })
    }
}

/// Reads the weights of `module` from a safetensors file.
///
/// # Errors
///
/// If the file cannot be read, is no safetensors file, or does not fit the module.
pub fn load<M: Module>(module: M, path: &Path) -> Result<M, ModelError> {
    let opened = || {
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    let (file, length) = opened().map_err(|source| ModelError::Io {
        path: path.to_owned(),
        source,
    })?;
    let what = path.display().to_string();
    let tensors = TensorFile::read(BufReader::new(file), length, &what)?;
    apply(module, tensors, &what)
}

/// Writes the weights of `module` to a safetensors file: complete, or not at all.
///
/// # Errors
///
/// If the file cannot be written; an older one then stays as it was.
pub fn save<M: Module>(module: &M, path: &Path) -> Result<(), ModelError> {
    use std::io::Write;
    let io = |source| ModelError::Io {
        path: path.to_owned(),
        source,
    };
    let bytes = collect(module).to_bytes();
    let mut scratch = path.as_os_str().to_owned();
    scratch.push(".part");
    let mut file = std::fs::File::create(&scratch).map_err(io)?;
    // Synced before the rename, or a power loss could leave the name with half the bytes; the folder
    // after it, or the loss could take the name back.
    let written = file.write_all(&bytes).and_then(|()| file.sync_all());
    written
        .and_then(|()| std::fs::rename(&scratch, path))
        .and_then(|()| match path.parent() {
            // Windows opens no folder as a file, and its renames need no sync of the parent.
            _ if cfg!(windows) => Ok(()),
            Some(folder) if folder.as_os_str().is_empty() => std::fs::File::open(".")?.sync_all(),
            Some(folder) => std::fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        })
        .map_err(io)
}
