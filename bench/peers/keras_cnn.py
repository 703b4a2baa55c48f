"""Keras on TensorFlow: the reference network's step. Prints one JSON line for each batch size.

Arguments: folder of the MNIST files, threads, then batch:steps pairs.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
folder, threads = sys.argv[1], int(sys.argv[2])
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
import keras
import numpy as np

x = np.fromfile(f"{folder}/train-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28, 1).astype(np.float32) / 255
y = np.fromfile(f"{folder}/train-labels-idx1-ubyte", np.uint8)[8:].astype(np.int32)

for pair in sys.argv[3:]:
    batch, steps = map(int, pair.split(":"))
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
    model.fit(x[: 64 * batch], y[: 64 * batch], batch_size=batch, verbose=0)
    count = min(steps * batch, len(x) // batch * batch)
    epochs = max(1, round(steps * batch / count))
    start = time.perf_counter()
    model.fit(x[:count], y[:count], batch_size=batch, epochs=epochs, verbose=0)
    done = epochs * count // batch
    ms = 1000 * (time.perf_counter() - start) / done
    version = f"{keras.__version__} on tensorflow-cpu {tf.__version__}"
    print(json.dumps({"peer": "Keras", "version": version, "batch": batch, "steps": done, "msPerStep": ms}), flush=True)
