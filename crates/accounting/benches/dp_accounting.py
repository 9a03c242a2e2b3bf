"""Times dp_accounting (pip install dp_accounting) on the questions of accounting.rs; one JSON object on stdout."""

import json
import sys
import time

sys.path.pop(0)  # this folder, whose file has the library's name

import dp_accounting
from dp_accounting import dp_event, pld, rdp

TRAININGS = [
    ("1000 steps", 0.01, 1.0, 1000, 1e-5),
    ("14062 steps", 256 / 60000, 1.1, 14062, 1e-5),
    ("100000 steps", 0.001, 1.0, 100000, 1e-5),
    ("100000 steps, delta 1e-10", 0.001, 1.0, 100000, 1e-10),
]


def accountant(name):
    # The grid as it comes: 1e-4, coarser than what Regard chooses for these questions.
    return pld.PLDAccountant() if name == "pld" else rdp.RdpAccountant()


def training(rate, noise, steps):
    step = dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(noise))
    return dp_event.SelfComposedDpEvent(step, steps)


def timed(function):
    times, value = [], None
    for _ in range(3):
        start = time.perf_counter()
        value = function()
        times.append(time.perf_counter() - start)
    return min(times), value


rows = []
for name, rate, noise, steps, delta in TRAININGS:
    for kind in ("rdp", "pld"):
        seconds, value = timed(lambda: accountant(kind).compose(training(rate, noise, steps)).get_epsilon(delta))
        rows.append({"question": "epsilon", "training": name, "accountant": kind, "seconds": seconds, "value": value})
    if delta == 1e-5:
        start = time.perf_counter()
        value = dp_accounting.calibrate_dp_mechanism(
            lambda: accountant("pld"), lambda sigma: training(rate, sigma, steps), 3.0, delta,
            dp_accounting.ExplicitBracketInterval(0.3, 10.0), tol=1e-4)
        rows.append({"question": "noise", "training": name, "accountant": "pld",
                     "seconds": time.perf_counter() - start, "value": value})
print(json.dumps({"dp_accounting": "0.6.0", "rows": rows}))
