"""The figures of series that the tests state: metrics, anomaly scores on NAB, baselines on ETTh1.

python series_figures.py    prints them (made with scikit-learn 1.9.1 and numpy 2.4.6)
"""

import csv
import datetime
import json
import pathlib

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score, mean_pinball_loss, roc_auc_score

DATA = pathlib.Path(__file__).parents[4] / "datasets"


def table(path):
    rows = list(csv.reader(open(DATA / path)))[1:]
    times = np.array([datetime.datetime.fromisoformat(row[0]) for row in rows])
    return times, np.array([[float(value) for value in row[1:]] for row in rows])


def metrics():
    scores, flags = [0.1, 0.4, 0.35, 0.8, 0.8, 0.2, 0.8, 0.4], [0, 0, 1, 1, 0, 1, 1, 1]
    print("average precision", average_precision_score(flags, scores), "roc auc", roc_auc_score(flags, scores))
    print("pinball", mean_pinball_loss([2, 2, 1], [1, 2, 3], alpha=0.9))


def anomalies(name, season):
    times, values = table(f"nab/{name}.csv")
    values = values[:, 0]
    start = len(values) * 15 // 100
    flags = np.zeros(len(values), bool)
    for window in json.load(open(DATA / "nab/combined_windows.json"))[f"realKnownCause/{name}.csv"]:
        first, last = (datetime.datetime.fromisoformat(time) for time in window)
        flags |= (first <= times) & (times <= last)
    level = np.abs(values - values[:start].mean()) / values[:start].std()
    residual = np.zeros(len(values))
    residual[season:] = np.abs(values[season:] - values[:-season])
    smooth = np.array([residual[max(0, row - 24) : row + 24].mean() for row in range(len(values))])
    print(name, "rows", len(values) - start, "anomalous", flags[start:].sum())
    for what, scores in [("level", level), ("seasonal", residual), ("smoothed", smooth)]:
        areas = [area(flags[start:], scores[start:]) for area in (roc_auc_score, average_precision_score)]
        print(" ", what, np.round(areas, 4))


def forecasts(lookback, horizon):
    values = table("etth1/ETTh1.csv")[1]
    values = (values - values[:8640].mean(0)) / values[:8640].std(0)

    def windows(start, end):
        """Past and future of every window and channel whose future lies in the rows."""
        first = np.arange(max(start, lookback), end - horizon + 1)
        rows = first[:, None] + np.arange(-lookback, horizon)
        cut = values[rows].transpose(0, 2, 1).reshape(-1, lookback + horizon)
        return cut[:, :lookback], cut[:, lookback:]

    def errors(forecast, truth):
        return round(float(((forecast - truth) ** 2).mean()), 4), round(float(np.abs(forecast - truth).mean()), 4)

    train, valid, test = windows(0, 8640), windows(8640, 11520), windows(11520, 14400)
    print("ETTh1", lookback, horizon, "repeat last", errors(test[0][:, -1:], test[1]))
    season = test[0][:, -24:][:, np.arange(horizon) % 24]
    print("  season", errors(season, test[1]))
    for base in ["zero", "last", "mean"]:
        of = {"zero": lambda x: 0 * x[:, :1], "last": lambda x: x[:, -1:], "mean": lambda x: x.mean(1, keepdims=True)}[base]
        best = None
        for penalty in 10.0 ** np.arange(-3, 6):
            ridge = Ridge(penalty, solver="cholesky").fit(train[0] - of(train[0]), train[1] - of(train[0]))
            of_part = lambda part: errors(ridge.predict(part[0] - of(part[0])) + of(part[0]), part[1])
            if best is None or of_part(valid)[0] < best[0]:
                best = of_part(valid)[0], penalty, of_part(test)
        print("  ridge less", base, "valid", best[0], "lambda", best[1], "test", best[2])


if __name__ == "__main__":
    metrics()
    anomalies("nyc_taxi", 336)
    anomalies("machine_temperature_system_failure", 288)
    forecasts(96, 96)
