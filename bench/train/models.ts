/** @file The models of the training benchmark by name, written with the public API alone, and the data that they train on. */
import {
  activation,
  add,
  batchNormalization,
  conv2d,
  dense,
  globalAveragePooling2d,
  input,
  Model,
  type Samples,
  type SymbolicTensor,
} from "@gristmill/nn";

/** A model of the benchmark. The peers in peers/train have the same by the same name. */
export interface BenchModel {
  readonly what: string;
  /** @throws SpecError while a layer is missing. */
  make(): Model;
  /** Sizes of one sample, of one answer, and how many classes or tokens there are. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly classes: number;
  /** Samples are tokens, whole numbers below this. */
  readonly tokens?: number;
}

const options = { seed: 1 };
const fromLayers = (inputShape: readonly number[], layers: readonly object[]): Model =>
  Model.fromSpec({ inputShape, layers }, options);

const recurrent = (type: "lstm" | "gru", steps: number): BenchModel => ({
  what: `${type} 128, every step answers, T ${steps}, D 28`,
  x: [steps, 28],
  y: [steps],
  classes: 10,
  make: () =>
    fromLayers(
      [steps, 28],
      [
        { type, units: 128, returnSequences: true },
        { type: "dense", units: 10, activation: "softmax" },
      ],
    ),
});

/** He et al. 2015, arXiv:1512.03385: 18 layers, with the first convolution of 3 x 3 that small images take. */
function resnet18(): Model {
  const convolved = (x: SymbolicTensor, filters: number, size: number, strides: number): SymbolicTensor =>
    batchNormalization().apply(conv2d(filters, size, { strides, padding: "same", useBias: false }).apply(x));
  const relu = (x: SymbolicTensor): SymbolicTensor => activation("relu").apply(x);
  const block = (x: SymbolicTensor, filters: number, strides: number): SymbolicTensor => {
    const inner = convolved(relu(convolved(x, filters, 3, strides)), filters, 3, 1);
    const direct = strides === 1 && x.shape.at(-1) === filters ? x : convolved(x, filters, 1, strides);
    return relu(add().apply([inner, direct]));
  };
  const image = input({ shape: [32, 32, 3] });
  let x = relu(convolved(image, 64, 3, 1));
  for (const [stage, filters] of [64, 128, 256, 512].entries())
    x = block(block(x, filters, stage === 0 ? 1 : 2), filters, 1);
  const answer = dense(10, { activation: "softmax" }).apply(globalAveragePooling2d().apply(x));
  return new Model({ inputs: image, outputs: answer }, options);
}

/** Every model by name. */
export const benchModels: Readonly<Record<string, BenchModel>> = {
  cnn: {
    what: "reference CNN, 28 x 28 x 1",
    x: [28, 28, 1],
    y: [],
    classes: 10,
    make: () =>
      fromLayers(
        [28, 28, 1],
        [
          { type: "conv2d", filters: 32, kernelSize: [3, 3], activation: "relu" },
          { type: "maxPooling2d", poolSize: [2, 2] },
          { type: "flatten" },
          { type: "dense", units: 128, activation: "relu" },
          { type: "dense", units: 10, activation: "softmax" },
        ],
      ),
  },
  lstm: recurrent("lstm", 28),
  "lstm-long": recurrent("lstm", 200),
  gru: recurrent("gru", 28),
  transformer: {
    what: "6 causal encoders, 8 heads, 256 wide (1024 inside), T 64, 1000 tokens",
    x: [64],
    y: [64],
    classes: 1000,
    tokens: 1000,
    make: () =>
      fromLayers(
        [64],
        [
          { type: "embedding", inputDim: 1000, outputDim: 256 },
          { type: "sinusoidalPositions" },
          ...Array.from({ length: 6 }, () => ({
            type: "transformerEncoder",
            intermediateDim: 1024,
            numHeads: 8,
            useCausalMask: true,
          })),
          { type: "dense", units: 1000, activation: "softmax" },
        ],
      ),
  },
  resnet18: { what: "ResNet-18 at 32 x 32 x 3", x: [32, 32, 3], y: [], classes: 10, make: resnet18 },
};

const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Most bytes of samples: enough batches that none is near, few enough that the data is a small part of a peak of memory. */
const mostBytes = 16 * 2 ** 20;

/** Random samples and answers, of 4 to 64 batches. */
export function benchData({ x, y, classes, tokens }: BenchModel, batch: number): { x: Samples; y: Samples } {
  const batches = Math.max(4, Math.min(64, Math.floor(mostBytes / (4 * batch * countOf(x)))));
  const count = batches * batch;
  // a small generator of whole numbers (Park and Miller 1988), the same in every run
  let state = 1;
  const next = (): number => (state = (state * 48271) % 2147483647);
  const below = (length: number, bound: number): Int32Array<ArrayBuffer> =>
    Int32Array.from({ length }, () => next() % bound);
  const length = count * countOf(x);
  const samples =
    tokens === undefined ? Float32Array.from({ length }, () => next() / 2147483647) : below(length, tokens);
  return {
    x: { shape: [count, ...x], data: samples },
    y: { shape: [count, ...y], data: below(count * countOf(y), classes) },
  };
}
