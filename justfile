# Recipes call the commands of the README and of .ci/run.

# All recipes.
default:
    @just --list

# Train the README's example.
train *ARGS:
    cargo run --release --locked -- train configs/sms-spam.toml {{ARGS}}

# The README's tests.
test:
    cargo test --workspace --locked

# flex, ndarray and wgpu give the same weights and losses (wgpu needs a Vulkan driver; mesa's will do).
devices:
    cargo test --workspace --locked --features regard/ndarray,regard/wgpu --test devices

# Format, lints and documentation, with every feature.
check:
    cargo fmt --all --check
    DOCS_RS=1 cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" DOCS_RS=1 cargo doc --workspace --all-features --no-deps --locked

# An outside Burn project that embeds the model.
embed:
    cargo run --locked --config 'profile.dev.package."*".opt-level=0' --manifest-path tests/embed/Cargo.toml --target-dir target/embed

# The training step of the standard workloads.
bench *ARGS:
    cargo run --release --locked -- bench step --workload w1,w2,w3 {{ARGS}}

# Every command of docs/guide.md, on a small budget.
guide:
    scripts/run_guide

# TensorBoard itself reads the event files of a run that was killed and continued (pip install tensorboard).
tensorboard PYTHON="python3":
    scripts/check_tensorboard {{PYTHON}}

# Kills, stops, faults, random histories and hostile files in their long form, with counts (needs strace and the right to mount).
torture *ARGS:
    scripts/torture {{ARGS}}

# Everything that CI runs.
ci:
    .ci/run
