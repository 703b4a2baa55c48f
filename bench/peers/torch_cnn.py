"""PyTorch: the reference network's step, as people write it (no compile). Prints one JSON line for each batch size.

Arguments: folder of the MNIST files, threads, then batch:steps pairs.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
x = torch.from_numpy(np.fromfile(f"{folder}/train-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 28, 28).copy())
y = torch.from_numpy(np.fromfile(f"{folder}/train-labels-idx1-ubyte", np.uint8)[8:].astype(np.int64))

for pair in sys.argv[3:]:
    batch, steps = map(int, pair.split(":"))
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(5408, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    loss_of = nn.CrossEntropyLoss()
    right = torch.zeros((), dtype=torch.int64)

    def train(count):
        global right
        done = 0
        while done < count:
            order = torch.randperm(len(x))
            for i in range(0, len(x) - batch + 1, batch):
                if done == count:
                    return
                picked = order[i : i + batch]
                bx, by = x[picked].float() / 255, y[picked]
                optimizer.zero_grad(set_to_none=True)
                out = model(bx)
                loss = loss_of(out, by)
                loss.backward()
                optimizer.step()
                right += (out.argmax(1) == by).sum()
                done += 1

    train(64)
    start = time.perf_counter()
    train(steps)
    ms = 1000 * (time.perf_counter() - start) / steps
    print(json.dumps({"peer": "PyTorch", "version": torch.__version__, "batch": batch, "steps": steps, "msPerStep": ms}), flush=True)
