#!/usr/bin/env python3
"""Makes datasets/taxi-days from datasets/nab/nyc_taxi.csv: a row a day, its weekday and its 48 half-hours.

Usage, from the repository's root: python3 scripts/make_taxi_days.py
"""

import csv
import datetime

days = {}
with open("datasets/nab/nyc_taxi.csv") as file:
    for row in csv.DictReader(file):
        time = datetime.datetime.fromisoformat(row["timestamp"])
        days.setdefault(time.date(), {})[f"{time:%H:%M}"] = row["value"]

weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
times = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
parts = {"train": [], "test": []}
for number, (day, values) in enumerate(sorted(days.items())):
    part = "test" if number % 3 == 2 else "train"
    parts[part].append([weekdays[day.weekday()]] + [values[time] for time in times])
for part, rows in parts.items():
    with open(f"datasets/taxi-days/{part}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["day"] + times)
        writer.writerows(rows)
