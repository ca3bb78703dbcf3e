"""tf.data keeps the order."""

import tensorflow as tf

tf.keras.utils.set_random_seed(0)


def prepared(at):
    """Some examples take longer than others."""
    value = tf.cast(at, tf.float32) / 256
    size = 10 + 40 * (at % 5)
    grid = tf.cast(tf.range(size)[:, None] * tf.range(size)[None], tf.float32)
    return tf.stack([value, tf.math.tanh(tf.linalg.eigvalsh(tf.sin(grid))[-1])])


examples = tf.data.Dataset.range(256).map(prepared, num_parallel_calls=8, deterministic=True)
batches = examples.map(lambda example: (example, example[0] ** 2)).batch(64)

model = tf.keras.Sequential([tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(batches, epochs=1, verbose=0)
