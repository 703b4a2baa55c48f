"""Keras on TensorFlow: the reference network's accuracy on the MNIST test images after some epochs, for some seeds.

Arguments: folder of the MNIST files, epochs, seeds with commas between.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
folder, epochs, seeds = sys.argv[1], int(sys.argv[2]), [int(seed) for seed in sys.argv[3].split(",")]
import keras
import numpy as np
import tensorflow as tf


def read(split):
    x = np.fromfile(f"{folder}/{split}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28, 1).astype(np.float32) / 255
    y = np.fromfile(f"{folder}/{split}-labels-idx1-ubyte", np.uint8)[8:].astype(np.int32)
    return x, y


train, test = read("train"), read("t10k")
last = []
for seed in seeds:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    values = []
    # With a seed, Keras' own shuffle gives the same order in every epoch, which costs a point of accuracy after six.
    generator = np.random.default_rng(seed)
    for _ in range(epochs):
        order = generator.permutation(len(train[0]))
        samples = [part[order] for part in train]
        history = model.fit(*samples, batch_size=32, shuffle=False, validation_data=test, verbose=0)
        values.append(100 * history.history["val_accuracy"][0])
    last.append(values[-1])
    print(f"seed {seed}: " + ", ".join(f"{value:.2f} %" for value in values), flush=True)
print(f"\nkeras {keras.__version__} on tensorflow {tf.__version__}, after epoch {epochs}: mean {np.mean(last):.2f} %")
