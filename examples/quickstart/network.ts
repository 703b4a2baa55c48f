/** @file The reference CNN and how it is trained. */
import type { CreateRunInput } from "@gristmill/contract";

/** What the dataset, the model and the deployment are called. */
export const name = "mnist";

/** Epochs that fit into a first look; ten reach about 98.7 %. */
export const epochs = 3;

/** The run's request: data, network, training, and the name to register the result under. */
export const training: CreateRunInput = {
  dataset: name,
  spec: {
    layers: [
      { type: "conv2d", inputShape: [28, 28, 1], filters: 32, kernelSize: [3, 3], activation: "relu" },
      { type: "maxPooling2d", poolSize: [2, 2] },
      { type: "flatten" },
      { type: "dense", units: 128, activation: "relu" },
      { type: "dense", units: 10, activation: "softmax" },
    ],
  },
  compile: { optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] },
  fit: { epochs, batch_size: 32, seed: 1 },
  register: { model: name, notes: "Made by the quickstart." },
};
