"""One row of the training benchmark by PyTorch, as people write it (no compile, the fused Adam): python torch_train.py MODEL BATCH THREADS SECONDS."""

import sys

import numpy as np
import torch
from common import Clock, data, gemm, memory, report
from torch import nn

name, batch, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(1)


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer, self.head = layer(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(1000, 256), nn.Linear(256, 1000)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(256, 8, 1024, 0.0, batch_first=True) for _ in range(6))
        angles = np.arange(64)[:, None] / 10000 ** (2 * np.arange(128) / 256)
        self.register_buffer("table", torch.tensor(np.stack([np.sin(angles), np.cos(angles)], -1).reshape(64, 256), dtype=torch.float32))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(64))

    def forward(self, x):
        x = self.embedding(x) + self.table
        for layer in self.layers:
            x = layer(x, src_mask=self.mask, is_causal=True)
        return self.head(x)


class Block(nn.Module):
    def __init__(self, into, filters, strides):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(into, filters, 3, strides, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(), nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters))
        same = strides == 1 and into == filters
        self.direct = nn.Identity() if same else nn.Sequential(nn.Conv2d(into, filters, 1, strides, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        return torch.relu(self.inner(x) + self.direct(x))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(5408, 128), nn.ReLU(), nn.Linear(128, 10))


def resnet18():
    layers, into = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage, filters in enumerate((64, 128, 256, 512)):
        layers += [Block(into, filters, 1 if stage == 0 else 2), Block(filters, filters, 1)]
        into = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


MODELS = {"cnn": cnn, "lstm": lambda: Recurrent(nn.LSTM), "lstm-long": lambda: Recurrent(nn.LSTM), "gru": lambda: Recurrent(nn.GRU), "transformer": Transformer, "resnet18": resnet18}

x, y = (torch.from_numpy(array) for array in data(name, batch))
if x.dim() == 4:
    x = x.permute(0, 3, 1, 2).contiguous()  # its models take channels first
y = y.long()
idle = memory("VmRSS")
model = MODELS[name]()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
loss_of = nn.CrossEntropyLoss()


def train():
    clock = Clock(seconds)
    while True:
        order = torch.randperm(len(x))
        for i in range(0, len(x), batch):
            picked = order[i : i + batch]
            optimizer.zero_grad(set_to_none=True)
            said = model(x[picked])
            loss = loss_of(said.flatten(0, -2), y[picked].flatten())
            loss.backward()
            optimizer.step()
            if clock.step():
                return clock


clock = train()
peak = memory("VmHWM")
a = torch.randn(1024, 1024)
rate = gemm(lambda: a @ a, lambda last: last)
report("PyTorch", torch.__version__, clock, idle, peak, rate)
