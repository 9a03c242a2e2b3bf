//! Devices by name.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use anyhow::{Context, anyhow};
use burn::tensor::{Device, Tensor};
use regard_bundle::Workers;

use crate::args::ComputeArgs;
use crate::errors::{HintExt, UsageError};

/// As many threads as a batch can have shards; starting many more takes minutes.
const MAX_THREADS: usize = 1024;

/// A kind of device.
pub struct Backend {
    /// Its name, which is also the cargo feature that compiles it in.
    pub name: &'static str,
    /// Whether this build has it.
    pub compiled: bool,
    /// What it is.
    pub description: &'static str,
}

/// All kinds.
pub const BACKENDS: &[Backend] = &[
    Backend {
        name: "flex",
        compiled: cfg!(feature = "flex"),
        description: "CPU, the maintained backend (also called cpu)",
    },
    Backend {
        name: "ndarray",
        compiled: cfg!(feature = "ndarray"),
        description: "CPU, Burn's older backend",
    },
    Backend {
        name: "wgpu",
        compiled: cfg!(feature = "wgpu"),
        description: "GPU through Vulkan, Metal or DirectX; wgpu:1 is the second discrete one",
    },
    Backend {
        name: "cuda",
        compiled: cfg!(feature = "cuda"),
        description: "NVIDIA GPU; cuda:1 is the second one",
    },
];

/// A device that works, and how to use it.
pub struct Compute {
    /// The name as the user may type it.
    pub name: String,
    /// The device, without autodiff.
    pub device: Device,
    /// The threads for pieces of work.
    pub workers: Workers,
    /// The number of threads in all.
    pub threads: usize,
}

impl Compute {
    /// Whether tensors live in the memory of this process.
    pub fn is_cpu(&self) -> bool {
        !self.name.starts_with("wgpu") && !self.name.starts_with("cuda")
    }

    /// Opens the device that the arguments name, or the first that this build has.
    ///
    /// # Errors
    ///
    /// If the name is unknown, this build does not have the device, or it does not answer.
    pub fn open(args: &ComputeArgs) -> anyhow::Result<Self> {
        let default = BACKENDS.iter().find(|backend| backend.compiled);
        let name = match (&args.device, default) {
            (Some(name), _) => name.clone(),
            (None, Some(backend)) => backend.name.to_owned(),
            (None, None) => {
                return Err(UsageError("this build has no device".to_owned()))
                    .hint("build with --features flex");
            }
        };
        let (kind, index) = parse(&name)?;
        let threads = match args.threads.map(NonZeroUsize::get) {
            Some(threads) if threads > MAX_THREADS => {
                return Err(UsageError(format!(
                    "--threads {threads}: expected at most {MAX_THREADS}"
                )))
                .hint("more threads than cores make nothing faster");
            }
            Some(threads) => threads,
            None => std::thread::available_parallelism()
                .context("cannot count the processors")
                .hint("give --threads")?
                .get(),
        };
        // Kernels share this pool; it can be built once a process, and this is the first use.
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start the threads")?;
        let device = answering(&name, || make(kind, index))?;
        let is_cpu = matches!(kind, "flex" | "ndarray");
        Ok(Self {
            name,
            device,
            // One queue feeds a GPU.
            workers: Workers::new(if is_cpu { threads } else { 1 }),
            threads,
        })
    }
}

/// The kind of a device's name and its index.
fn parse(name: &str) -> anyhow::Result<(&'static str, Option<usize>)> {
    let (kind, index) = match name.split_once(':') {
        Some((kind, index)) => (kind, Some(index)),
        None => (name, None),
    };
    let kind = if kind == "cpu" { "flex" } else { kind };
    let names: Vec<&str> = BACKENDS.iter().map(|backend| backend.name).collect();
    let Some(backend) = BACKENDS.iter().find(|backend| backend.name == kind) else {
        return Err(UsageError(format!(
            "--device {name}: expected {}, found {kind:?}",
            names.join(", ")
        )))
        .hint("`regard devices` lists those of this build");
    };
    if !backend.compiled {
        return Err(UsageError(format!(
            "--device {name}: this build does not have the device {kind}"
        )))
        .hint(format!("build with --features {kind}"));
    }
    let index = match index {
        None => None,
        Some(_) if matches!(kind, "flex" | "ndarray") => {
            return Err(UsageError(format!("--device {name}: there is one {kind}")))
                .hint(format!("say --device {kind}"));
        }
        Some(index) => Some(index.parse().map_err(|_| {
            UsageError(format!(
                "--device {name}: expected a number behind the colon, found {index:?}"
            ))
        })?),
    };
    Ok((backend.name, index))
}

/// The device; its kind is compiled in.
fn make(kind: &str, index: Option<usize>) -> Device {
    match kind {
        #[cfg(feature = "ndarray")]
        "ndarray" => {
            #[expect(deprecated, reason = "offered as long as Burn has it")]
            let device = Device::ndarray();
            device
        }
        #[cfg(feature = "wgpu")]
        "wgpu" => Device::wgpu(index.map_or_else(
            burn::tensor::DeviceKind::default,
            burn::tensor::DeviceKind::DiscreteGpu,
        )),
        #[cfg(feature = "cuda")]
        "cuda" => Device::cuda(index.unwrap_or(0)),
        #[cfg(feature = "flex")]
        "flex" => Device::flex(),
        _ => unreachable!("{kind} {index:?} was checked against the compiled devices"),
    }
}

/// Makes the device do a sum. Burn opens devices lazily and panics if there is none; nobody should
/// see that, and nobody should see it an hour into a run.
fn answering(name: &str, make: impl FnOnce() -> Device) -> anyhow::Result<Device> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let device = make();
        let sum = Tensor::<1>::ones([3], &device).sum().into_scalar::<f32>();
        (sum == 3.0).then_some(device)
    }));
    set_hook(hook);
    match answer {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(anyhow!("the device {name} cannot add")),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no reason given")
                .to_owned();
            Err(anyhow!(reason).context(UsageError(format!("the device {name} does not answer"))))
                .hint("is there such a device, with its driver? `--device cpu` always works")
        }
    }
}
