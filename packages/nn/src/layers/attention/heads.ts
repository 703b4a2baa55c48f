/** @file What the attentions of many heads share: their fields, their weights as Keras has them, and their graph. */
import { ShapeError, type Value } from "@gristmill/onnx";
import { linearMap } from "../../graph/linear-map.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { flag, fraction } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, LayerScope, Parameter } from "../layer.ts";
import { fitsSample, formatSample, knownSize, type SampleShape } from "../shape.ts";
import { attend, exchange } from "./attend.ts";
import { type Rotary, rotaryField, rotaryTable, rotate } from "./rotary.ts";
import { keyMask, scoreBias } from "./score-bias.ts";

/** Fields that all of them have. */
export const headsFields = {
  dropout: fraction(0),
  useBias: flag(true),
  useCausalMask: flag(false),
  rotary: rotaryField(),
  kernelInitializer: initializerField("glorotUniform"),
  biasInitializer: initializerField("zeros"),
  kernelRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
};

/** Settings that all of them take. */
export interface HeadsOptions extends CommonOptions {
  /** Share of the attention weights that is dropped while training. */
  readonly dropout?: number;
  readonly useBias?: boolean;
  /** True: a step looks at itself and those before it alone. */
  readonly useCausalMask?: boolean;
  /** Rotary positions of queries and keys; none when left out. */
  readonly rotary?: Partial<Rotary> | null;
  readonly kernelInitializer?: InitializerOption;
  readonly biasInitializer?: InitializerOption;
  readonly kernelRegularizer?: RegularizerOption;
  readonly biasRegularizer?: RegularizerOption;
}

/** Heads and their sizes. */
export interface HeadsPlan {
  readonly queryHeads: number;
  /** Divides `queryHeads`: each head of keys and values serves as many heads of queries. */
  readonly keyHeads: number;
  readonly size: number;
  readonly valueSize: number;
  /** Sizes of one step's answer; the query's width when undefined. */
  readonly output: readonly number[] | undefined;
}

interface HeadsConfig {
  readonly dropout: number;
  readonly useBias: boolean;
  readonly useCausalMask: boolean;
  readonly rotary: Rotary | null;
  readonly kernelInitializer: KindSpec;
  readonly biasInitializer: KindSpec;
  readonly kernelRegularizer: KindSpec | null;
  readonly biasRegularizer: KindSpec | null;
}

/** What enters by its part: (x), (query, value), (query, value, key) or (query, value, key, attention mask). */
function parts<T>(inputs: readonly T[]): { query: T; value: T; key: T; pairs: T | undefined } {
  const [query, value = query, key = value, pairs] = inputs;
  if (query === undefined || value === undefined || key === undefined) throw new Error("attention: nothing was given");
  return { query, value, key, pairs };
}

const outputSizes = ({ output }: HeadsPlan, query: SampleShape): readonly number[] => output ?? [query.at(-1) ?? 1];

/** @throws ShapeError unless all are [steps, features] that go together */
export function headsShape(plan: HeadsPlan, inputs: readonly SampleShape[], where: string): SampleShape {
  const { query, value, key, pairs } = parts(inputs);
  for (const shape of [query, value, key]) {
    if (shape.length !== 2)
      throw new ShapeError(where, `expected samples of [steps, features], received ${formatSample(shape)}`);
    knownSize(shape, -1, where);
  }
  if (value[0] !== key[0])
    throw new ShapeError(
      where,
      `expected as many keys as values, received ${formatSample(key)} and ${formatSample(value)}`,
    );
  const [queries = null] = query;
  const [keys = null] = key;
  if (pairs !== undefined && !fitsSample([queries, keys], pairs))
    throw new ShapeError(
      where,
      `expected an attention mask of [query steps, key steps] = ${formatSample([queries, keys])}, received ${formatSample(pairs)}`,
    );
  return [queries, ...outputSizes(plan, query)];
}

/** Kernels and biases of query, key, value and attention_output, in Keras' order. */
export function headsParameters(
  plan: HeadsPlan,
  config: HeadsConfig,
  inputs: readonly SampleShape[],
): readonly Parameter[] {
  const { query, value, key } = parts(inputs);
  const { queryHeads, keyHeads, size, valueSize } = plan;
  const out = outputSizes(plan, query);
  const shapes: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ["query", [query.at(-1) ?? 1], [queryHeads, size]],
    ["key", [key.at(-1) ?? 1], [keyHeads, size]],
    ["value", [value.at(-1) ?? 1], [keyHeads, valueSize]],
    ["attention_output", [queryHeads, valueSize], out],
  ];
  return shapes.flatMap(([part, from, to]): Parameter[] => [
    {
      name: `${part}/kernel`,
      shape: [...from, ...to],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer ?? undefined,
    },
    ...(config.useBias
      ? [
          {
            name: `${part}/bias`,
            shape: to,
            initializer: config.biasInitializer,
            regularizer: config.biasRegularizer ?? undefined,
          },
        ]
      : []),
  ]);
}

const volume = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
const orderOf = (sizes: readonly number[]): number[] => sizes.map((_, axis) => axis);

/** `x · kernel + bias` over all rows at once; the kernel is kept as the matrix that it is. */
function project(
  scope: LayerScope,
  part: string,
  x: Value,
  { from, to, useBias }: { from: readonly number[]; to: readonly number[]; useBias: boolean },
): Value {
  const shape = [...from, ...to];
  const kernel = { view: shape, order: orderOf(shape), stored: [volume(from), volume(to)] };
  const bias = { view: to, order: orderOf(to), stored: [volume(to)] };
  return linearMap(
    scope.math,
    x,
    scope.weight(`${part}/kernel`, kernel),
    useBias ? scope.weight(`${part}/bias`, bias) : undefined,
  );
}

/** Writes attention of many heads. */
export function buildHeads(
  plan: HeadsPlan,
  config: HeadsConfig,
  scope: LayerScope,
  inputs: readonly Features[],
): Features {
  const { math, path } = scope;
  const { query, value, key, pairs } = parts(inputs.map((one) => toPlain(math, one)));
  const { queryHeads, keyHeads, size, valueSize } = plan;
  const { useBias, rotary } = config;
  const split = (part: string, x: Features, heads: number, width: number): Value => {
    const rows = project(scope, part, x.value, { from: [knownSize(x.shape, -1, path)], to: [heads, width], useBias });
    return math.reshape(rows, [0, 0, heads, width]); // [batch, steps, heads, width]
  };
  const q = split("query", query, queryHeads, size);
  const k = split("key", key, keyHeads, size);
  const v = split("value", value, keyHeads, valueSize);
  // x [batch, ..., steps, size]; `of` is what its steps are those of
  const turned = (x: Value, of: Value): Value =>
    rotary === null ? x : rotate(math, x, size, rotaryTable(math, of, size, rotary), rotary.interleaved);
  const bars = { keys: keyMask(math, key, value), pairs: pairs?.value, isCausal: config.useCausalMask };
  const mixed = attendByGroups(scope, { q, k, v, turned }, plan, {
    scale: 1 / Math.sqrt(size),
    bias: scoreBias(math, bars, q, k),
    dropout: config.dropout,
  });
  const out = outputSizes(plan, query.shape);
  const rows = project(scope, "attention_output", mixed, { from: [queryHeads, valueSize], to: out, useBias });
  const shaped = out.length === 1 ? rows : math.reshape(rows, [0, 0, ...out]);
  return plain(shaped, [query.shape[0] ?? null, ...out], query.mask);
}

/** [batch, steps, heads, size] each in, [batch, queries, heads * value size] out. */
function attendByGroups(
  scope: LayerScope,
  { q, k, v, turned }: { q: Value; k: Value; v: Value; turned: (x: Value, of: Value) => Value },
  { queryHeads, keyHeads, size, valueSize }: HeadsPlan,
  options: Parameters<typeof attend>[2],
): Value {
  const { math } = scope;
  const { builder } = math;
  const key = turned(exchange(math, k), k); // [batch, key heads, keys, size]
  const value = exchange(math, v);
  const width = queryHeads * valueSize;
  if (queryHeads === keyHeads) {
    const mixed = attend(scope, { query: turned(exchange(math, q), q), key, value }, options);
    return math.reshape(exchange(math, mixed), [0, 0, width]);
  }
  const groups = queryHeads / keyHeads;
  // query heads that share a head of keys stand side by side: [batch, key heads, groups, queries, size]
  const grouped = math.transpose(math.reshape(q, [0, 0, keyHeads, groups, size]), [0, 2, 3, 1, 4]);
  const alone = (x: Value): Value => builder.op("Unsqueeze", [x, builder.ints(2)]);
  const mixed = attend(scope, { query: turned(grouped, q), key: alone(key), value: alone(value) }, options);
  return math.reshape(math.transpose(mixed, [0, 3, 1, 2, 4]), [0, 0, width]);
}
