"""What the scripts of this folder share: a generator of numbers and the writer of the JSON files."""

import json
from pathlib import Path

import torch

# Everything is computed in float64, so that what a file holds is the true value rounded once to float32.
torch.set_default_dtype(torch.float64)

ROUNDING_OF_ZERO = 1e-14


class Draw:
    """Numbers from a 32-bit linear congruential generator (Numerical Recipes' constants).

    Written here, not taken from PyTorch, so that inputs stay the same under every version of it.
    """

    def __init__(self, seed: int):
        self.state = seed

    def bits(self, count: int) -> int:
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return self.state >> (32 - count)

    def tensor(self, *shape: int, scale: float = 1.0, around: float = 0.0) -> torch.Tensor:
        """Values in `around` ± `scale`, in steps of `scale / 128`.

        With a scale of 1 or 1/2 each value has at most nine decimal digits, so that the text in the file,
        the float32 that a reader makes of it and the float64 of this computation are one number.
        """
        steps = [self.bits(8) - 128 for _ in range(torch.Size(shape).numel())]
        return around + torch.tensor(steps).reshape(shape) * (scale / 128)

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """Integers in `low..high`, the end excluded."""
        values = [low + self.bits(16) % (high - low) for _ in range(torch.Size(shape).numel())]
        return torch.tensor(values, dtype=torch.int64).reshape(shape)


def hidden_by_length(lengths: list[int], size: int) -> torch.Tensor:
    """The padding mask [batch, size] of right-padded rows; true = hidden from attention."""
    return torch.arange(size) >= torch.tensor(lengths)[:, None]


def gradients(parameters: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The gradient of each parameter after a backward pass; a missing one is an error."""
    missing = [name for name, value in parameters.items() if value.grad is None]
    if missing:
        raise ValueError(f"no gradient reached {missing}")
    return {name: value.grad for name, value in parameters.items()}


def agree(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Stops the script where two ways to the same number part."""
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def _tensor(value: torch.Tensor | float) -> dict:
    if isinstance(value, float):
        # A setting, written as it was given: 1 - beta would lose five digits if beta were rounded to float32.
        return {"shape": [], "data": [value]}
    value = value.detach()
    if value.dtype.is_floating_point:
        if not value.isfinite().all():
            raise ValueError("a golden tensor holds NaN or infinity")
        # A key's bias has no gradient at all, since softmax ignores a shift: what float64 leaves there is the
        # rounding of zero, and would differ from machine to machine.
        value = torch.where(value.abs() < ROUNDING_OF_ZERO, 0.0, value)
        # Nine significant digits name every float32.
        data = [float(f"{number:.9g}") for number in value.float().flatten().tolist()]
    else:
        data = [int(number) for number in value.flatten().tolist()]
    return {"shape": list(value.shape), "data": data}


def write(script: str, cases: list[dict]) -> None:
    """Writes the JSON file beside `script`, one tensor a line so that a change shows in a diff."""
    lines = ["{", f' "script": {json.dumps(Path(script).name)},', f' "torch": {json.dumps(torch.__version__)},', ' "cases": [']
    for index, case in enumerate(cases):
        parts = [f'  {{"name": {json.dumps(case["name"])}']
        for section in ("inputs", "parameters", "outputs", "gradients"):
            tensors = [
                f"    {json.dumps(name)}: {json.dumps(_tensor(value))}"
                for name, value in case.get(section, {}).items()
            ]
            parts.append(f'   "{section}": {{\n' + ",\n".join(tensors) + "}" if tensors else f'   "{section}": {{}}')
        lines.append(",\n".join(parts) + ("}," if index + 1 < len(cases) else "}"))
    lines += [" ]", "}"]
    path = Path(script).with_suffix(".json")
    text = "\n".join(lines) + "\n"
    json.loads(text)
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(cases)} cases, {len(text)} bytes")
