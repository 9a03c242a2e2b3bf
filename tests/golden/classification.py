"""Metrics of classification: the naive way, and scikit-learn's where it has them.

    python classification.py        # numpy, scikit-learn >= 1.7

Probabilities are stored as they are used (f64 in full), so the numbers hold to rounding.
"""

import json
import math
import pathlib

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, matthews_corrcoef

N_BINS = 15


def naive_matthews(labels, predictions, n_classes):
    """The covariances of Gorodkin (2004), by their definition over one-hot vectors."""
    x = np.eye(n_classes)[predictions]
    y = np.eye(n_classes)[labels]
    x, y = x - x.mean(0), y - y.mean(0)
    return float((x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()))


def naive_ece(confidences, correct):
    total = 0.0
    for k in range(N_BINS):
        low, high = k / N_BINS, (k + 1) / N_BINS
        inside = [i for i, c in enumerate(confidences) if low < c <= high]
        if inside:
            accuracy = sum(correct[i] for i in inside) / len(inside)
            confidence = sum(confidences[i] for i in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(accuracy - confidence)
    return total


def naive_brier(p, labels):
    n_classes = len(p[0])
    total = 0.0
    for row, label in zip(p, labels):
        total += sum((q - (c == label)) ** 2 for c, q in enumerate(row))
    return total / len(p) / (2 if n_classes == 2 else 1)


def case(name, n, n_classes, sharpness, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, n_classes, n)
    logits = generator.normal(size=(n, n_classes)) * sharpness
    logits[np.arange(n), labels] += 1.0
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    predictions = p.argmax(1)
    mcc = naive_matthews(labels, predictions, n_classes)
    brier = naive_brier(p.tolist(), labels.tolist())
    assert abs(mcc - matthews_corrcoef(labels, predictions)) < 1e-12
    known = p[:, 1] if n_classes == 2 else p
    sklearn = brier_score_loss(labels, known, **({} if n_classes == 2 else {"labels": range(n_classes)}))
    assert abs(brier - sklearn) < 1e-12, (brier, sklearn)
    return {
        "name": name,
        "labels": labels.tolist(),
        "probabilities": p.tolist(),
        "mcc": mcc,
        "brier": brier,
        "ece": naive_ece(p.max(1).tolist(), (predictions == labels).tolist()),
        "loss": float(log_loss(labels, p, labels=range(n_classes))),
    }


if __name__ == "__main__":
    cases = [case("two classes", 40, 2, 1.0, 1), case("five classes", 60, 5, 2.0, 2)]
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps({"cases": cases}) + "\n")
