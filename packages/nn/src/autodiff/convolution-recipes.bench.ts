/**
 * @file Milliseconds of every recipe of a convolution's gradients, shape by shape, and which one is chosen:
 * `node packages/nn/src/autodiff/convolution-recipes.bench.ts [threads]`. The least of several runs, since it is the one
 * that nothing disturbed.
 */
import { createSession, GraphBuilder, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { inputRecipes, kernelRecipes } from "./convolution-recipes.ts";
import {
  type ConvolutionShape,
  inputRecipe,
  type KernelRecipe,
  kernelRecipe,
  turnedAxis,
} from "./convolution-shape.ts";
import { reachOf, type WindowAxis } from "./window.ts";

/** [batch, channels, filters, groups, size of each axis, window, stride]; padded to the same size. */
type Line = readonly [number, number, number, number, readonly number[], number, number];
const lines: readonly Line[] = [
  [32, 1, 32, 1, [28, 28], 3, 1],
  [32, 3, 64, 1, [32, 32], 3, 1],
  [32, 16, 16, 1, [32, 32], 3, 1],
  [32, 64, 64, 1, [32, 32], 3, 1],
  [32, 64, 128, 1, [32, 32], 3, 2],
  [32, 128, 128, 1, [16, 16], 3, 1],
  [32, 256, 256, 1, [8, 8], 3, 1],
  [32, 64, 64, 64, [32, 32], 3, 1],
  [32, 64, 64, 64, [32, 32], 3, 2],
  [32, 128, 128, 128, [16, 16], 3, 1],
  [32, 64, 64, 4, [16, 16], 3, 1],
  [32, 64, 128, 1, [16, 16], 1, 1],
  [32, 1, 16, 1, [1000], 9, 1],
  [32, 13, 64, 1, [100], 5, 1],
  [32, 64, 64, 1, [200], 3, 1],
  [32, 128, 128, 1, [128], 5, 1],
  [32, 256, 256, 1, [64], 3, 1],
  [32, 128, 128, 1, [256], 4, 2],
  [32, 128, 128, 128, [128], 7, 1],
  [4, 1, 16, 1, [16, 32, 32], 3, 1],
  [4, 16, 32, 1, [16, 16, 16], 3, 1],
  [4, 32, 64, 1, [16, 16, 16], 3, 2],
  [4, 64, 64, 1, [8, 8, 8], 3, 1],
  [4, 128, 128, 1, [4, 4, 4], 3, 1],
];

function shapeOf([batch, channels, filters, groups, sizes, window, stride]: Line): ConvolutionShape {
  const axes = sizes.map((size): WindowAxis => {
    const stops = Math.ceil(size / stride);
    const unpadded = { size, window, stops, stride, dilation: 1, before: 0, after: 0 };
    const missing = Math.max(0, (stops - 1) * stride + reachOf(unpadded) - size);
    return { ...unpadded, before: Math.floor(missing / 2), after: Math.ceil(missing / 2) };
  });
  return { batch, channels, filters, groups, axes };
}

const threads = Number(process.argv[2] ?? 1);

async function least(sizes: readonly (readonly number[])[], write: (math: GraphMath, a: Value, b: Value) => Value) {
  const builder = new GraphBuilder("recipe");
  const [a, b] = sizes.map((shape, i) => builder.input(`x${i}`, "float32", shape));
  if (a === undefined || b === undefined) throw new Error("two inputs");
  builder.output(write(new GraphMath(builder), a, b), "y");
  const session = await createSession(model(builder.build()), { threads });
  const feeds: Record<string, Tensor> = {};
  sizes.forEach((shape, i) => {
    const count = shape.reduce((all, size) => all * size, 1);
    feeds[`x${i}`] = tensor(
      "float32",
      shape,
      Float32Array.from({ length: count }, (_, j) => Math.sin(j)),
    );
  });
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 700;
  for (let i = 0; i < 5 || performance.now() < end; i++) {
    const start = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - start);
  }
  await session.close();
  return best;
}

const written = (ms: number, isChosen: boolean): string => `${ms.toFixed(2)}${isChosen ? "*" : ""}`.padStart(8);

console.log(`threads ${threads}; ms; * is chosen`);
console.log("shape".padEnd(34), " turned  transp |  swapped perImage  columns  shifted");
for (const line of lines) {
  const shape = shapeOf(line);
  const { batch, channels, filters, groups, axes } = shape;
  const x = [batch, channels, ...axes.map(({ size }) => size)];
  const w = [filters, channels / groups, ...axes.map(({ window }) => window)];
  const y = [batch, filters, ...axes.map(({ stops }) => stops)];
  const cells: string[] = [];
  for (const recipe of ["turnedConvolution", "transposedConvolution"] as const) {
    const fits = recipe === "transposedConvolution" || axes.every((a) => a.stride === 1 && turnedAxis(a).before >= 0);
    const ms = fits
      ? await least([y, w], (math, dy, kernel) => inputRecipes[recipe](math, dy, kernel, shape))
      : undefined;
    cells.push(ms === undefined ? "       -" : written(ms, inputRecipe(shape) === recipe));
  }
  cells.push("|");
  const ways: readonly KernelRecipe[] = ["swappedConvolution", "perImage", "columns", "shifted"];
  for (const recipe of ways) {
    const fits = groups === 1 || recipe === "swappedConvolution" || recipe === "perImage";
    const ms = fits
      ? await least([x, y], (math, image, dy) => kernelRecipes[recipe](math, image, dy, shape))
      : undefined;
    cells.push(ms === undefined ? "       -" : written(ms, kernelRecipe(shape) === recipe));
  }
  console.log(`[${x}] -> ${filters}/${groups} k${line[5]} s${line[6]}`.padEnd(34), cells.join(" "));
}
