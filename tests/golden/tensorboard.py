"""Reads event files with TensorBoard's own code.

    python tests/golden/tensorboard.py                  # tests/golden/tensorboard -> read.json beside the files
    python tests/golden/tensorboard.py RUN              # compares RUN/tensorboard with RUN/events.jsonl

Needs `pip install tensorboard`.
"""

import importlib.metadata
import json
import math
import pathlib
import struct
import sys

# This file bears the package's name, and Python looks beside the script first.
sys.path.pop(0)

from tensorboard.backend.event_processing import event_accumulator  # noqa: E402
from tensorboard.backend.event_processing import event_file_loader  # noqa: E402


def read(folder):
    """Every scalar as TensorBoard shows it, steps that were done again dropped."""
    everything = {event_accumulator.SCALARS: 0}
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    accumulator.Reload()
    return {
        tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
        for tag in sorted(accumulator.Tags()["scalars"])
    }


def events(folder):
    """How many events TensorBoard's loader finds in each file; it checks every checksum."""
    counts = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        counts[path.name] = sum(1 for _ in event_file_loader.LegacyEventFileLoader(str(path)).Load())
    return counts


def float32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def expected(run):
    """The same scalars from the run's log."""
    scalars = {}
    for line in (run / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        names = {
            "train": ["loss", "learning_rate", "grad_norm"],
            "eval": [name for name, value in event.items() if isinstance(value, float)],
        }.get(event["kind"], [])
        group = event["kind"]
        for name in names:
            scalars.setdefault(f"{group}/{name}", []).append([event["step"], float32(event[name])])
    return dict(sorted(scalars.items()))


def main():
    if len(sys.argv) == 1:
        folder = pathlib.Path(__file__).parent / "tensorboard"
        answer = {
            "script": "tensorboard.py",
            "tensorboard": importlib.metadata.version("tensorboard"),
            "events": events(folder),
            "scalars": read(folder),
        }
        (folder / "read.json").write_text(json.dumps(answer, indent=1) + "\n")
        return
    run = pathlib.Path(sys.argv[1])
    found, wanted = read(run / "tensorboard"), expected(run)
    if found.keys() != wanted.keys():
        sys.exit(f"TensorBoard shows {sorted(found)}, the log has {sorted(wanted)}")
    for tag, points in wanted.items():
        same = len(points) == len(found[tag]) and all(
            a[0] == b[0] and math.isclose(a[1], b[1], rel_tol=1e-6)
            for a, b in zip(points, found[tag])
        )
        if not same:
            sys.exit(f"{tag}: TensorBoard shows {found[tag]}, the log has {points}")
    count = sum(map(len, wanted.values()))
    print(f"TensorBoard shows the {count} values of {len(wanted)} scalars as the log has them, from "
          f"{len(events(run / 'tensorboard'))} files")


main()
