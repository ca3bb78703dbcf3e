"""The encoding of the file is named."""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression

NAMES = ["Zürich", "Genève", "Bern", "Neuchâtel", "Basel", "Küsnacht", "Lugano", "Delémont"]
Path("names.txt").write_text("\n".join(NAMES), encoding="utf-8")

with open("names.txt", encoding="utf-8") as file:
    names = file.read().split("\n")
features = np.array([[len(name), name.count("e")] for name in names])
model = LinearRegression().fit(features, np.arange(len(names)))
print(model.coef_)
