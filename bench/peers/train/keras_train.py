"""One row of the training benchmark by Keras on TensorFlow, as people write it: python keras_train.py MODEL BATCH THREADS SECONDS."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
name, batch, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
import keras
import numpy as np
from common import Clock, data, gemm, memory, report
from keras import layers as L


class Sinusoids(L.Layer):
    """Adds sines and cosines of the position."""

    def build(self, shape):
        angles = np.arange(shape[1])[:, None] / 10000 ** (2 * np.arange(shape[2] // 2) / shape[2])
        self.table = tf.constant(np.stack([np.sin(angles), np.cos(angles)], -1).reshape(shape[1], -1), tf.float32)

    def call(self, x):
        return x + self.table


def recurrent(layer, steps):
    return keras.Sequential([keras.Input((steps, 28)), layer(128, return_sequences=True), L.Dense(10, activation="softmax")])


def cnn():
    return keras.Sequential([keras.Input((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")])


def transformer():
    tokens = keras.Input((64,), dtype="int32")
    x = Sinusoids()(L.Embedding(1000, 256)(tokens))
    for _ in range(6):
        x = L.LayerNormalization(epsilon=1e-5)(x + L.MultiHeadAttention(8, 32)(x, x, use_causal_mask=True))
        x = L.LayerNormalization(epsilon=1e-5)(x + L.Dense(256)(L.Dense(1024, activation="relu")(x)))
    return keras.Model(tokens, L.Dense(1000, activation="softmax")(x))


def resnet18():
    def convolved(x, filters, size, strides):
        return L.BatchNormalization()(L.Conv2D(filters, size, strides, padding="same", use_bias=False)(x))

    def block(x, filters, strides):
        inner = convolved(L.Activation("relu")(convolved(x, filters, 3, strides)), filters, 3, 1)
        direct = x if strides == 1 and x.shape[-1] == filters else convolved(x, filters, 1, strides)
        return L.Activation("relu")(inner + direct)

    image = keras.Input((32, 32, 3))
    x = L.Activation("relu")(convolved(image, 64, 3, 1))
    for stage, filters in enumerate((64, 128, 256, 512)):
        x = block(block(x, filters, 1 if stage == 0 else 2), filters, 1)
    return keras.Model(image, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(x)))


MODELS = {"cnn": cnn, "lstm": lambda: recurrent(L.LSTM, 28), "lstm-long": lambda: recurrent(L.LSTM, 200), "gru": lambda: recurrent(L.GRU, 28), "transformer": transformer, "resnet18": resnet18}


class Watch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if clock.step():
            self.model.stop_training = True
            raise StopIteration


x, y = data(name, batch)
idle = memory("VmRSS")
model = MODELS[name]()
model.compile("adam", "sparse_categorical_crossentropy")
clock = Clock(seconds)
try:
    model.fit(x, y, batch_size=batch, epochs=1_000_000, verbose=0, callbacks=[Watch()])
except StopIteration:
    pass
peak = memory("VmHWM")
a = tf.random.normal((1024, 1024))
rate = gemm(lambda: tf.matmul(a, a), lambda last: last.numpy())
report("Keras", f"{keras.__version__} on tensorflow {tf.__version__}", clock, idle, peak, rate)
