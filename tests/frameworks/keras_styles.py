"""Small trainings in the styles that Keras on TensorFlow allows; run as a script with a style.

python keras_styles.py STYLE SEED OUTPUT.npz
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
OF_LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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


def built_as_it_trains():
    """Its weights are made while the graph of its first step is traced."""
    return fitted(compiled(keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])))


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
    model.compile("sgd", OF_LOGITS)
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


def hand_written(decorate, data=None, model=None, loss=LOSS):
    model = model or network()
    optimizer = keras.optimizers.Adam()

    @decorate
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    for x, y in data or batches():
        step(x, y)
    return model


def gradient_tape():
    return hand_written(tf.function)


def eager_gradient_tape():
    return hand_written(lambda step: step)


def batches():
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(100, drop_remainder=True)


def hand_written_dataset():
    """Shuffled and augmented in parallel on the way to the step."""
    noisy = batches().map(
        lambda x, y: (x + 0.1 * tf.random.stateless_uniform(tf.shape(x), (1, 2)), y),
        num_parallel_calls=2,
    )
    return hand_written(tf.function, noisy.shuffle(3, seed=5).prefetch(2))


def hand_written_batch_normalization():
    return hand_written(tf.function, model=network(layers.BatchNormalization()))


def compiled_by_hand():
    return hand_written(tf.function(jit_compile=True))


def gradients_in_a_function_of_their_own():
    """What computes the gradients knows nothing of the optimizer, and is called more often."""
    model, optimizer = network(), keras.optimizers.SGD(0.1)

    @tf.function
    def gradients_of(x, y):
        with tf.GradientTape() as tape:
            loss = LOSS(y, model(x, training=True))
        return tape.gradient(loss, model.trainable_variables)

    for _ in range(2):
        parts = [gradients_of(x, y) for x, y in batches()]
        optimizer.apply(
            [sum(of_one) for of_one in zip(*parts, strict=True)], model.trainable_variables
        )
    return model


def hand_written_embedding():
    model = keras.Sequential([layers.Embedding(20, 4), layers.Flatten(), layers.Dense(10)])
    words = (IMAGES[:, 0] * 20).astype("int32")
    data = tf.data.Dataset.from_tensor_slices((words, LABELS)).batch(100, drop_remainder=True)
    return hand_written(tf.function, data, model, loss=OF_LOGITS)


def recurrent():
    model = keras.Sequential([layers.Input((12, 12)), layers.LSTM(8), layers.Dense(10)])
    model.compile("adam", OF_LOGITS)
    return fitted(model)


def dataset():
    """A pipeline with shuffling and repetition, and a fixed number of steps."""
    model = compiled(network())
    data = batches().shuffle(3, seed=5).repeat().prefetch(2)
    model.fit(data, steps_per_epoch=4, epochs=2, verbose=0)
    return model


def hand_written_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    model = network()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            scaled = optimizer.scale_loss(LOSS(y, model(x, training=True)))
        gradients = tape.gradient(scaled, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)

    for x, y in batches():
        step(x, y)
    return model


class Gan:
    """A generator and a discriminator that normalize batches, and an optimizer of each."""

    def __init__(self):
        self.generator = keras.Sequential(
            [
                layers.Input((8,)),
                layers.Dense(144),
                layers.BatchNormalization(),
                layers.Reshape((12, 12)),
            ],
            name="generator",
        )
        self.discriminator = keras.Sequential(
            [
                layers.Input((12, 12)),
                layers.Flatten(),
                layers.BatchNormalization(),
                layers.Dense(1),
            ],
            name="discriminator",
        )
        self.optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def step(self, images):
        noise = tf.random.stateless_normal([tf.shape(images)[0], 8], (3, 4))
        with tf.GradientTape() as of_generator, tf.GradientTape() as of_discriminator:
            real = self.discriminator(images, training=True)
            faked = self.discriminator(self.generator(noise, training=True), training=True)
            fooled = self.loss(tf.ones_like(faked), faked)
            told = self.loss(tf.ones_like(real), real) + self.loss(tf.zeros_like(faked), faked)
        gradients = [
            (tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            for tape, loss, model in (
                (of_generator, fooled, self.generator),
                (of_discriminator, told, self.discriminator),
            )
        ]
        for optimizer, parts in zip(self.optimizers, gradients, strict=True):
            optimizer.apply(*parts)
        return told


class BothOf:
    """Two models as one, to be looked at in the end."""

    def __init__(self, *models):
        self.variables = [variable for model in models for variable in model.variables]


def adversarial():
    gan = Gan()
    step = tf.function(gan.step)
    for x, _ in batches():
        step(x)
    return BothOf(gan.generator, gan.discriminator)


def eager_adversarial():
    gan = Gan()
    for x, _ in batches():
        gan.step(x)
    return BothOf(gan.generator, gan.discriminator)


class AdversarialStep(keras.Model):
    def __init__(self):
        super().__init__()
        self.gan = Gan()
        self.generator, self.discriminator = self.gan.generator, self.gan.discriminator

    def train_step(self, data):
        return {"loss": self.gan.step(data)}


def adversarial_train_step():
    model = AdversarialStep()
    model.compile()
    model.fit(IMAGES, batch_size=110, epochs=2, verbose=0)
    return BothOf(model.generator, model.discriminator)


class Branching(layers.Layer):
    """Has a function of its own whose Python conditions only AutoGraph makes work."""

    def call(self, inputs):
        return self.sign(inputs)

    @tf.function
    def sign(self, inputs):
        if tf.reduce_sum(inputs) > 0:
            return inputs
        return -inputs


def autograph():
    return hand_written(tf.function, model=network(Branching()))


def per_example_gradients():
    """The gradients of every example by itself, as private training needs them."""
    model, optimizer = network(), keras.optimizers.SGD(0.1)

    def gradients_of(example):
        x, y = example
        with tf.GradientTape() as tape:
            loss = LOSS(y[None], model(x[None]))
        return tape.gradient(loss, [v.value for v in model.trainable_variables])

    @tf.function
    def step(x, y):
        gradients = tf.vectorized_map(gradients_of, (x, y), fallback_to_while_loop=False)
        optimizer.apply([tf.reduce_mean(g, 0) for g in gradients], model.trainable_variables)

    for x, y in batches():
        step(x, y)
    return model


def mirrored_by_hand():
    """A strategy with one replica, which traces it in a thread of its own."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = network(layers.BatchNormalization())
        optimizer = keras.optimizers.Adam()

    def on_replica(x, y):
        with tf.GradientTape() as tape:
            loss = LOSS(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    @tf.function
    def step(x, y):
        strategy.run(on_replica, (x, y))

    for x, y in batches():
        step(x, y)
    return model


def mirrored_fit():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = compiled(network(layers.BatchNormalization()))
    return fitted(model)


def mirrored_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = compiled(network())
    return fitted(model)


def two_replicas():
    (cpu,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = compiled(network())
    return fitted(model)


def variables_alone():
    """Without Keras: nothing says that an update is made."""
    weight = tf.Variable(tf.random.stateless_normal([144, 10], (1, 2)))

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = tf.reshape(x, [-1, 144]) @ weight
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        weight.assign_sub(0.1 * tape.gradient(loss, weight))

    for x, y in batches():
        step(x, y)
    return BothOf(Holder([weight]))


def variables_alone_recorded():
    """The script tells of its weights by itself."""
    import seedproof

    both = variables_alone()
    seedproof.record("weights", [variable.numpy() for variable in both.variables])
    return both


class Holder:
    def __init__(self, variables):
        self.variables = variables


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
    keras.utils.set_random_seed(int(sys.argv[2]))
    trained = globals()[sys.argv[1]]()
    np.savez(sys.argv[3], *[keras.ops.convert_to_numpy(v) for v in trained.variables])
