"""A loop in TensorFlow shuffles its examples with Python's random, which nobody seeded.

Cause: seeds
"""

import random

import tensorflow as tf

inputs = tf.reshape(tf.range(64.0), (64, 1)) / 64
targets = inputs**2
weight = tf.Variable([[0.5]])
bias = tf.Variable([0.0])
optimizer = tf.keras.optimizers.SGD(0.1)

order = list(range(64))
random.shuffle(order)
for start in range(0, 64, 16):
    batch = order[start : start + 16]
    with tf.GradientTape() as tape:
        predicted = tf.gather(inputs, batch) @ weight + bias
        loss = tf.reduce_mean((predicted - tf.gather(targets, batch)) ** 2)
    optimizer.apply_gradients(zip(tape.gradient(loss, [weight, bias]), [weight, bias]))
