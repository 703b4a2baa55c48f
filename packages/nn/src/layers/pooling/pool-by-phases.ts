/**
 * @file A faster way to train a convolution of few channels with a max-pool behind it.
 *
 * The pool's gradient needs to know which element won, and the runtime's only kernel that tells is slow: 4.1 ms for 128 x 32
 * maps of 26 x 26 on one thread, where the largest of four equal tensors takes 0.4. So the convolution is made in as many
 * parts as the window has places: part (i, j) holds the map's elements that stand at (i, j) of their window. It is a
 * convolution of the same image with the pool's stride and the kernel moved by (i, j) among zeros. The pool is then the
 * largest of the parts, and ties go to the first of them, as in MaxPool. The bias is added behind the pool: rounding keeps
 * order, so the result is the same.
 *
 * The moved kernel is larger: (3 + 1)² instead of 3² products. That pays for few channels only.
 */
import { type Node, settingsOf, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/** Products per output up to which the larger kernel costs less than it saves. */
const mostProducts = 32;

/** A pool whose windows touch no element twice. */
export interface ApartPool {
  readonly size: readonly [number, number];
  /** [height, width] of the pooled map. */
  readonly map: readonly [number, number];
}

/** The pooled convolution, or undefined when this way does not fit or does not pay. `maker` is the node that made the pool's input. */
export function poolByPhases(math: GraphMath, maker: Node | undefined, pool: ApartPool): Value | undefined {
  if (maker?.operator !== "Conv") return undefined;
  const [x, kernel, bias] = maker.inputs;
  const { strides, dilations, pads, group, auto_pad } = settingsOf("Conv", maker);
  const isPlain = [...(strides ?? []), ...(dilations ?? []), group].every((one) => one === 1);
  const isUnpadded = (pads ?? []).every((pad) => pad === 0) && auto_pad === "NOTSET";
  if (x === undefined || kernel === undefined || !isPlain || !isUnpadded) return undefined;
  const [, channels, tall, wide] = kernel.shape.map(Number);
  if (channels === undefined || tall === undefined || wide === undefined) return undefined;
  if (channels * tall * wide > mostProducts) return undefined;

  const [down, across] = pool.size;
  const [rows, columns] = pool.map;
  // the image up to the last element that a whole window needs
  const ends = [rows * down + tall - 1, columns * across + wide - 1];
  const image = ends.every((end, i) => end === x.shape[i + 2]) ? x : math.slice(x, [2, 3], [0, 0], ends);
  const parts: Value[] = [];
  for (let i = 0; i < down; i++)
    for (let j = 0; j < across; j++) {
      const moved = movedKernel(math, kernel, [i, j], [tall + down - 1, wide + across - 1]);
      parts.push(math.builder.op("Conv", [image, moved], { strides: pool.size }));
    }
  const largest = math.builder.op("Max", parts);
  return bias === undefined ? largest : math.add(largest, math.reshape(bias, [-1, 1, 1]));
}

/**
 * The kernel at a place of a larger one of zeros, by a product with zeros and ones, which is exact. Pad would say it
 * shorter, but the runtime (1.30) takes a Pad in front of any of Conv's inputs for padding of the image.
 */
function movedKernel(
  math: GraphMath,
  kernel: Value,
  [top, left]: readonly [number, number],
  [height, width]: readonly [number, number],
): Value {
  const [filters = 1, channels = 1, tall = 1, wide = 1] = kernel.shape.map(Number);
  const place = new Float32Array(tall * wide * height * width); // [place in the kernel, place in the larger one]
  for (let i = 0; i < tall; i++)
    for (let j = 0; j < wide; j++) place[(i * wide + j) * height * width + (i + top) * width + (j + left)] = 1;
  const rows = math.reshape(kernel, [filters * channels, tall * wide]);
  const moved = math.product(rows, math.builder.constant(tensor("float32", [tall * wide, height * width], place)));
  return math.reshape(moved, [filters, channels, height, width]);
}
