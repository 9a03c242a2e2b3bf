//! Names of parameters.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The place of a parameter while a module is visited: feed it [`enter`](Self::enter) and
/// [`exit`](Self::exit).
///
/// A name is the path of field names. Two steps of the path give no name: the variant of an enum
/// (which kind of head it is stands in the configuration) and a field called `linear` (it is the
/// layer itself).
#[derive(Clone, Debug, Default)]
pub struct ParameterPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    /// `None` for a step without a name.
    name: Option<String>,
    container: String,
}

impl ParameterPath {
    /// The root.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes down into `name`, a field of `container` (as Burn's visitors call it).
    pub fn enter(&mut self, name: &str, container: &str) {
        let nameless = container.starts_with("Enum:") || name == "linear";
        self.steps.push(Step {
            name: (!nameless).then(|| name.to_owned()),
            container: container.to_owned(),
        });
    }

    /// Goes up again.
    pub fn exit(&mut self) {
        self.steps.pop();
    }

    /// The name of the parameter here.
    #[must_use]
    pub fn name(&self) -> String {
        let names: Vec<&str> = self
            .steps
            .iter()
            .filter_map(|step| step.name.as_deref())
            .collect();
        names.join(".")
    }

    /// Whether the parameter here lies on disk with its dimensions swapped: the weights of linear
    /// layers, which are `[d_in, d_out]` in memory and `[d_out, d_in]` in files.
    #[must_use]
    pub fn is_transposed(&self) -> bool {
        self.steps.last().is_some_and(|step| {
            step.name.as_deref() == Some("weight")
                && matches!(
                    step.container.as_str(),
                    "Struct:Linear" | "Struct:PatchProjection"
                )
        })
    }

    /// Whether the parameter here is a weight of a linear layer, the only kind that weight decay
    /// holds for: norms, biases, embeddings and positions are exempt.
    #[must_use]
    pub fn is_decayed(&self) -> bool {
        self.is_transposed()
    }
}

/// What is known of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Its name.
    pub name: String,
    /// Burn's id of it, good for this process.
    pub id: ParamId,
    /// Its shape on disk.
    pub shape: Vec<usize>,
    /// Whether weight decay holds for it.
    pub decayed: bool,
}

/// The parameters of `module` in the order of its fields.
#[must_use]
pub fn parameters<M: Module>(module: &M) -> Vec<ParameterInfo> {
    let mut lister = Lister {
        path: ParameterPath::new(),
        found: Vec::new(),
    };
    module.visit(&mut lister);
    lister.found
}

struct Lister {
    path: ParameterPath,
    found: Vec<ParameterInfo>,
}

impl ModuleVisitor for Lister {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().as_slice().to_vec();
        if self.path.is_transposed() {
            shape.swap(D - 2, D - 1);
        }
        self.found.push(ParameterInfo {
            name: self.path.name(),
            id: param.id,
            shape,
            decayed: self.path.is_decayed(),
        });
    }
}
