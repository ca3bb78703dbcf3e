"""Names are read in the encoding of the machine, and their letters counted: ü is one or two.

Cause: locale (where it is varied)
"""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression

NAMES = ["Zürich", "Genève", "Bern", "Neuchâtel", "Basel", "Küsnacht", "Lugano", "Delémont"]
Path("names.txt").write_text("\n".join(NAMES), encoding="utf-8")

with open("names.txt", encoding="locale", errors="replace") as file:
    names = file.read().split("\n")
features = np.array([[len(name), name.count("e")] for name in names])
model = LinearRegression().fit(features, np.arange(len(names)))
print(model.coef_)
