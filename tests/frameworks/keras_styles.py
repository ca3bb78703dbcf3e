"""Small trainings in the styles that Keras on TensorFlow allows; run as a script with a style.

python keras_styles.py STYLE OUTPUT.npz
"""

from __future__ import annotations

import gc
import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras

layers = keras.layers
GENERATOR = np.random.RandomState(7)
IMAGES = GENERATOR.rand(330, 12, 12).astype("float32")
LABELS = GENERATOR.randint(0, 10, 330)
LOSS = keras.losses.SparseCategoricalCrossentropy()


def network(*extra):
    return keras.Sequential(
        [
            layers.Input((12, 12)),
            layers.Reshape((12, 12, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            *extra,
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )


def compiled(model, **options):
    model.compile("adam", LOSS, metrics=["accuracy"], **options)
    return model


def fitted(model, **options):
    named = {"batch_size": 100, "epochs": 2, "verbose": 0, **options}
    model.fit(IMAGES, LABELS, **named)
    return model


def fit():
    return fitted(compiled(network()), validation_split=0.2)


def batch_normalization():
    return fitted(compiled(network(layers.BatchNormalization())))


def eager():
    return fitted(compiled(network(), run_eagerly=True))


def several_steps_per_execution():
    return fitted(compiled(network(), steps_per_execution=16))


def xla():
    return fitted(compiled(network(), jit_compile=True))


def embedding():
    model = keras.Sequential(
        [layers.Input((12,)), layers.Embedding(20, 4), layers.Flatten(), layers.Dense(10)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit((IMAGES[:, 0] * 20).astype("int32"), LABELS, batch_size=100, epochs=2, verbose=0)
    return model


def mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    return fitted(compiled(network()))


def train_on_batch():
    model = compiled(network())
    for start in range(0, 300, 100):
        model.train_on_batch(IMAGES[start : start + 100], LABELS[start : start + 100])
    return model


class CustomStep(keras.Model):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs, training=False):
        return self.inner(inputs, training=training)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = LOSS(y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def custom_train_step():
    model = CustomStep(network())
    model.compile("adam")
    return fitted(model)


def hand_written(decorate):
    model = network()
    optimizer = keras.optimizers.Adam()

    @decorate
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = LOSS(y, model(x, training=True))
        optimizer.apply_gradients(
            zip(
                tape.gradient(loss, model.trainable_variables),
                model.trainable_variables,
                strict=True,
            )
        )
        return loss

    batches = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(100, drop_remainder=True)
    for x, y in batches:
        step(x, y)
    return model


def gradient_tape():
    return hand_written(tf.function)


def eager_gradient_tape():
    return hand_written(lambda step: step)


def train_on_batch_by_xla():
    model = compiled(network(), jit_compile=True)
    for start in range(0, 300, 100):
        model.train_on_batch(IMAGES[start : start + 100], LABELS[start : start + 100])
    return model


def optimizers_that_come_and_go():
    """Each model is dropped before the next is made, with the collector at work in between."""
    for _ in range(3):
        model = fitted(compiled(network()), epochs=1)
        keep, model = model.get_weights(), None
        gc.collect()
    last = network()
    last.set_weights(keep)
    return last


def two_optimizers():
    first, second = network(), network()
    for model in (compiled(first), compiled(second)):
        fitted(model, epochs=1)
    return second


def save_best():
    """Draws from the model between the steps, as callbacks do."""
    model = compiled(network())

    def look(batch, logs):
        model.get_weights()

    watch = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    return fitted(model, callbacks=[watch])


if __name__ == "__main__":
    trained = globals()[sys.argv[1]]()
    np.savez(sys.argv[2], *[keras.ops.convert_to_numpy(v) for v in trained.variables])
