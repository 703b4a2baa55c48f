import type { GradientCase } from "../gradient-check.ts";
import { ints, node, random, unary, withConstants } from "./make-case.ts";

/** Operators that move, pick or place elements: repeated indices, steps, cuts. */
export const movingCases = {
  Reshape: [withConstants("with -1", "Reshape", [random(2, 6)], (math) => [math.builder.ints(3, -1)])],
  Flatten: unary("Flatten", random(2, 3, 2)),
  Squeeze: [withConstants("one axis", "Squeeze", [random(2, 1, 3)], (math) => [math.builder.ints(1)])],
  Unsqueeze: [withConstants("two axes", "Unsqueeze", [random(2, 3)], (math) => [math.builder.ints(0, 3)])],
  Transpose: [
    node("three axes turned round", "Transpose", [random(2, 3, 4)], { perm: [2, 0, 1] }),
    node("reversed", "Transpose", [random(2, 3, 4)]),
  ],
  Concat: [node("three parts", "Concat", [random(2, 1), random(2, 3), random(2, 2)], { axis: -1 })],
  Split: [
    {
      name: "one of three parts used, another twice",
      inputs: [random(2, 6)],
      build: (math, x) => {
        const [a, , c] = math.builder.ops("Split", [x, math.builder.ints(2, 1, 3)], { axis: 1 }, 3);
        if (a === undefined || c === undefined) throw new Error("Split made too few outputs");
        return math.concat([a, math.mul(a, 2), c], 1);
      },
    },
  ],
  Expand: [withConstants("a row to a matrix", "Expand", [random(1, 3)], (math) => [math.builder.ints(2, 4, 3)])],
  Tile: [withConstants("both axes", "Tile", [random(2, 3)], (math) => [math.builder.ints(3, 2)])],
  Slice: [
    withConstants("a part", "Slice", [random(5, 4)], (math) => [math.builder.ints(1), math.builder.ints(-1)]),
    withConstants("steps, backwards on one axis", "Slice", [random(5, 6)], (math) => [
      math.builder.ints(-1, 1),
      math.builder.ints(-6, 6),
      math.builder.ints(0, 1),
      math.builder.ints(-2, 2),
    ]),
  ],
  Pad: [
    withConstants("added and cut", "Pad", [random(3, 4)], (math) => [math.builder.ints(1, -1, 0, 2)]),
    ...["reflect", "edge", "wrap"].map((mode) =>
      withConstants(mode, "Pad", [random(3, 4)], (math) => [math.builder.ints(1, 2, 0, 3)], { mode }),
    ),
    withConstants(
      "reflect, one named axis",
      "Pad",
      [random(3, 4, 2)],
      (math) => [math.builder.ints(2, 1), undefined, math.builder.ints(-2)],
      { mode: "reflect" },
    ),
    withConstants("named axes", "Pad", [random(3, 4)], (math, like) => [
      math.builder.ints(2, 1),
      math.scalar(0.5, like),
      math.builder.ints(1),
    ]),
  ],
  Trilu: [node("the lower triangle", "Trilu", [random(3, 4)], { upper: 0 })],
  DepthToSpace: [
    node("blocks of 2", "DepthToSpace", [random(1, 8, 2, 3)], { blocksize: 2 }),
    node("blocks of 2, channels first", "DepthToSpace", [random(1, 8, 2, 3)], { blocksize: 2, mode: "CRD" }),
  ],
  SpaceToDepth: [node("blocks of 2", "SpaceToDepth", [random(1, 2, 4, 6)], { blocksize: 2 })],
  Gather: [
    withConstants("a row twice, and one from the end", "Gather", [random(4, 3)], (math) => [
      ints(math, [2, 2], 1, 1, 3, -1),
    ]),
    withConstants("along the last axis", "Gather", [random(2, 4)], (math) => [ints(math, [3], 2, 0, 2)], { axis: 1 }),
  ],
  GatherElements: [
    withConstants(
      "an element twice",
      "GatherElements",
      [random(3, 3)],
      (math) => [ints(math, [2, 3], 0, 2, 2, 0, 2, 1)],
      {
        axis: 0,
      },
    ),
  ],
  GatherND: [withConstants("a row twice", "GatherND", [random(3, 2)], (math) => [ints(math, [3, 1], 1, 1, 0)])],
  ScatterElements: [
    {
      name: "added, an element twice",
      inputs: [random(4), random(3)],
      build: (math, data, updates) =>
        math.builder.op("ScatterElements", [data, ints(math, [3], 1, 1, 3), updates], { reduction: "add" }),
    },
    {
      name: "in place of others",
      inputs: [random(2, 3), random(2, 2)],
      build: (math, data, updates) =>
        math.builder.op("ScatterElements", [data, ints(math, [2, 2], 0, 2, 1, 0), updates], { axis: 1 }),
    },
  ],
  ScatterND: [
    {
      name: "added, a row twice",
      inputs: [random(3, 2), random(2, 2)],
      build: (math, data, updates) =>
        math.builder.op("ScatterND", [data, ints(math, [2, 1], 2, 2), updates], { reduction: "add" }),
    },
    {
      name: "in place of a row",
      inputs: [random(3, 2), random(1, 2)],
      build: (math, data, updates) => math.builder.op("ScatterND", [data, ints(math, [1, 1], 2), updates]),
    },
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
