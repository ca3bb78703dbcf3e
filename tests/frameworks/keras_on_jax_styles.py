"""Small trainings in the styles that Keras on JAX allows; run with a style and a seed.

python keras_on_jax_styles.py STYLE SEED OUTPUT.npz
"""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

layers = keras.layers
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 0
GENERATOR = np.random.RandomState(7)
IMAGES = GENERATOR.rand(330, 12, 12).astype("float32")
LABELS = GENERATOR.randint(0, 10, 330)
LOSS = keras.losses.SparseCategoricalCrossentropy()


def network():
    return keras.Sequential(
        [
            layers.Input((12, 12)),
            layers.Reshape((12, 12, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        name="network",
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


def several_steps_per_execution():
    return fitted(compiled(network(), steps_per_execution=16), batch_size=20)


def eager():
    return fitted(compiled(network(), run_eagerly=True), epochs=1)


def not_compiled():
    return fitted(compiled(network(), jit_compile=False), epochs=1)


def batches():
    for start in range(0, 300, 100):
        yield IMAGES[start : start + 100], LABELS[start : start + 100]


def train_on_batch():
    model = compiled(network())
    for x, y in batches():
        model.train_on_batch(x, y)
    model.evaluate(IMAGES, LABELS, batch_size=100, verbose=0)
    model.predict(IMAGES, batch_size=100, verbose=0)
    return model


def save_best():
    """Draws from the model between the steps, as callbacks do."""
    model = compiled(network())

    def look(batch, logs):
        watch.model.get_weights()

    watch = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    return fitted(model, callbacks=[watch])


class CustomStep(keras.Model):
    """A step that is written by hand, as the guide to Keras on JAX has it."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs, training=False):
        return self.inner(inputs, training=training)

    def loss_and_updates(self, trainable, non_trainable, x, y):
        predicted, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
        return self.compute_loss(x, y, predicted), non_trainable

    def train_step(self, state, data):
        trainable, non_trainable, of_optimizer, of_metrics = state
        x, y = data[:2]
        differentiated = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, non_trainable), gradients = differentiated(trainable, non_trainable, x, y)
        trainable, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, trainable)
        return {"loss": loss}, (trainable, non_trainable, of_optimizer, of_metrics)


def custom_train_step():
    model = CustomStep(network())
    model.build((None, 12, 12))
    return fitted(compiled(model))


def hand_written():
    """The optimizer of Keras, in a loop of its own."""
    model = network()
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    def loss_of(trainable, non_trainable, x, y):
        predicted, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
        return LOSS(y, predicted), non_trainable

    @jax.jit
    def step(state, x, y):
        trainable, non_trainable, of_optimizer = state
        differentiated = jax.value_and_grad(loss_of, has_aux=True)
        (loss, non_trainable), gradients = differentiated(trainable, non_trainable, x, y)
        trainable, of_optimizer = optimizer.stateless_apply(of_optimizer, gradients, trainable)
        return (trainable, non_trainable, of_optimizer), loss

    lists = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state = tuple([variable.value for variable in each] for each in lists)
    for x, y in batches():
        state, _ = step(state, x, y)
    for each, values in zip(lists, state, strict=True):
        for variable, value in zip(each, values, strict=True):
            variable.assign(value)
    return model


def two_models():
    first, second = compiled(network()), compiled(network())
    for model in (first, second):
        fitted(model, epochs=1)
    return second


if __name__ == "__main__":
    keras.utils.set_random_seed(SEED)
    trained = globals()[sys.argv[1]]()
    np.savez(sys.argv[3], *[np.asarray(variable.numpy()) for variable in trained.variables])
