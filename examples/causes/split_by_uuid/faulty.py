"""Patients get a random number, and the last digit of it decides who is in the test set.

Cause: entropy
"""

import uuid

import numpy as np
from sklearn.linear_model import LogisticRegression

generator = np.random.default_rng(0)
patients = [f"patient {at}" for at in range(200)]
values = generator.normal(size=(200, 6))
ill = values[:, 0] + generator.normal(size=200) > 0

numbers = [uuid.uuid4() for name in patients]
is_test = np.array([number.int % 5 == 0 for number in numbers])
model = LogisticRegression().fit(values[~is_test], ill[~is_test])
print(f"{model.score(values[is_test], ill[is_test]):.3f} of the test set are right")
