"""TensorFlow is told to keep an order."""

import tensorflow as tf

tf.keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
images = tf.random.normal((1, 32, 32, 3))
corners = tf.random.uniform((3000, 2), 0.0, 0.2)
boxes = tf.concat([corners, corners + 0.7], axis=1)
convolution = tf.keras.layers.Conv2D(8, 3)
optimizer = tf.keras.optimizers.SGD(0.01)

for _ in range(3):
    with tf.GradientTape() as tape:
        regions = tf.image.crop_and_resize(convolution(images), boxes, [0] * 3000, (14, 14))
        loss = tf.reduce_mean((regions - 1) ** 2)
    weights = convolution.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
