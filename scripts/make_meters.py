#!/usr/bin/env python3
"""Writes made-up hourly loads of many households, one series each, as CSV: household, hour, load.

Usage: scripts/make_meters.py [HOUSEHOLDS] [DAYS] > meters.csv
"""

import math
import random
import sys

households = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
days = int(sys.argv[2]) if len(sys.argv) > 2 else 14
draw = random.Random(0)
print("household,hour,load")
for household in range(households):
    base, morning, evening = draw.uniform(0.1, 0.5), draw.uniform(0.2, 1.0), draw.uniform(0.5, 2.0)
    early, late, weekend = draw.gauss(7, 1), draw.gauss(19, 1.5), draw.uniform(0.7, 1.5)
    for hour in range(24 * days):
        day, time = divmod(hour, 24)
        peaks = morning * math.exp(-((time - early) ** 2) / 4) + evening * math.exp(-((time - late) ** 2) / 8)
        load = base + peaks * (weekend if day % 7 >= 5 else 1.0) + draw.gauss(0, 0.1)
        print(f"{household},{hour},{max(load, 0):.3f}")
