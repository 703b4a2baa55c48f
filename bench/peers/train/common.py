"""What the peers of the training benchmark share: random data, memory, rates, and the line that they print."""

import json
import re
import statistics
import time

import numpy as np

CLASSES = {"transformer": 1000}
SAMPLE = {"cnn": (28, 28, 1), "lstm": (28, 28), "lstm-long": (200, 28), "gru": (28, 28), "transformer": (64,), "resnet18": (32, 32, 3)}
LEAST_STEPS = 5
WARM_UP_SECONDS = 1.5
MOST_BYTES = 16 * 2**20


def answers(model):
    """Sizes of one sample's answer: a class for each step where there are steps."""
    return () if model in ("cnn", "resnet18") else SAMPLE[model][:1]


def data(model, batch):
    """Random samples and answers, of 4 to 64 batches: as many as bench/train/models.ts makes."""
    rng = np.random.default_rng(1)
    shape, classes = SAMPLE[model], CLASSES.get(model, 10)
    count = batch * max(4, min(64, MOST_BYTES // (4 * batch * int(np.prod(shape)))))
    x = rng.integers(0, classes, (count, *shape)).astype(np.int32) if model == "transformer" else rng.random((count, *shape), np.float32)
    return x, rng.integers(0, classes, (count, *answers(model))).astype(np.int32)


def memory(field):
    """VmHWM (the most so far) or VmRSS (now), in bytes."""
    with open("/proc/self/status") as file:
        return 1024 * int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M).group(1))


class Clock:
    """Notes when each step ends; tells when enough is known."""

    def __init__(self, seconds):
        self.seconds, self.times = seconds, []
        self.started = self.last = time.perf_counter()
        self.begun, self.warm = None, 0

    def step(self):
        """True when the measuring is done."""
        now = time.perf_counter()
        if self.begun is None:
            self.warm += 1
            if self.warm >= 2 and now - self.started > WARM_UP_SECONDS:
                self.begun = now
        else:
            self.times.append(now - self.last)
        self.last = now
        return self.begun is not None and len(self.times) >= LEAST_STEPS and now - self.begun > self.seconds


def gemm(multiply, wait):
    """GFLOP/s of a 1024 x 1024 by 1024 x 1024 product: the median of ten runs of ten."""
    wait(multiply())
    times = []
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(10):
            last = multiply()
        wait(last)
        times.append(time.perf_counter() - start)
    return 10 * 2 * 1024**3 / statistics.median(times) / 1e9


def report(library, version, clock, idle, peak, rate):
    line = {"library": library, "version": version, "msPerStep": 1000 * statistics.median(clock.times), "steps": len(clock.times), "peakBytes": peak, "idleBytes": idle, "gemmGflops": rate}
    print(json.dumps(line), flush=True)
