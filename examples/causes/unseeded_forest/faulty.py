"""A forest is grown from NumPy's global generator, which nobody seeded.

Cause: seeds
"""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

images, digits = load_digits(return_X_y=True)
model = RandomForestClassifier(n_estimators=5, max_depth=4)
model.fit(images[:500], digits[:500])
print(f"{model.score(images[500:700], digits[500:700]):.3f} of the digits are recognised")
