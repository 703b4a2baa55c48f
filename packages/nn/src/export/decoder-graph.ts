/**
 * @file The graph of a llama-style decoder that remembers: it reads the next tokens of a text whose earlier ones are given
 * by their keys and values. Names of inputs and outputs are those of Hugging Face Optimum's exported decoders.
 */
import { type Graph, GraphBuilder, tensor, type Value } from "@gristmill/onnx";
import type { FullDescription } from "../formats/gguf/llama/description.ts";
import type { LlamaBlockWeights, LlamaWeights, WeightSource } from "../formats/gguf/llama/weights.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { rotate } from "../layers/attention/rotary.ts";
import { pairFrequencies } from "../layers/embedding/step-angles.ts";
import { turned } from "./turned.ts";

/** Score of what must not be looked at. Not minus infinity: a row that sees nothing, as of padding, would become NaN. */
const hiddenScore = -1e9;

/** Of which tokens logits are given: the last one that is read, or each. */
export type DecoderLogits = "last" | "all";

/** What all blocks see. */
interface Surroundings {
  readonly turn: { readonly cos: Value; readonly sin: Value };
  /** Added to scores, [batch, 1, 1, sequence, total]. */
  readonly mask: Value;
}

/** Writes the graph; its weights are float32. */
export async function decoderGraph(
  description: FullDescription,
  weights: LlamaWeights,
  logits: DecoderLogits,
): Promise<Graph> {
  const writer = new DecoderWriter(description);
  return writer.write(weights, logits);
}

class DecoderWriter {
  readonly #description: FullDescription;
  readonly #builder: GraphBuilder;
  readonly #math: GraphMath;

  constructor(description: FullDescription) {
    this.#description = description;
    this.#builder = new GraphBuilder("decoder");
    this.#math = new GraphMath(this.#builder);
  }

  async write(weights: LlamaWeights, logits: DecoderLogits): Promise<Graph> {
    const builder = this.#builder;
    const { vocabularySize, width, keyValueHeads, headWidth } = this.#description;
    const ids = builder.input("input_ids", "int64", ["batch_size", "sequence_length"]);
    const attentionMask = builder.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
    const positions = builder.input("position_ids", "int64", ["batch_size", "sequence_length"]);
    const pastShape = ["batch_size", keyValueHeads, "past_sequence_length", headWidth];
    const pasts = weights.blocks.map((_, i) => ({
      key: builder.input(`past_key_values.${i}.key`, "float32", pastShape),
      value: builder.input(`past_key_values.${i}.value`, "float32", pastShape),
    }));
    const surroundings = { turn: this.#turn(positions), mask: this.#mask(ids, attentionMask) };
    const table = await this.#weight("embedding", [vocabularySize, width], weights.embedding);
    let x = builder.op("Gather", [table, ids]); // [batch, sequence, width]
    const presents: { readonly key: Value; readonly value: Value }[] = [];
    for (const [i, block] of weights.blocks.entries()) {
      const past = pasts[i];
      if (past === undefined) throw new Error("decoderGraph: a block without a past");
      const made = await this.#block(`blocks.${i}`, x, past, block, surroundings);
      x = made.x;
      presents.push(made);
    }
    if (logits === "last") x = this.#math.slice(x, [1], [-1], [2 ** 31 - 1]);
    const normed = await this.#norm("norm", x, weights.outputNorm);
    const output =
      weights.output === undefined
        ? this.#math.transpose(table, [1, 0])
        : await this.#kernel("output", width, vocabularySize, weights.output);
    builder.output(builder.op("MatMul", [normed, output]), "logits");
    for (const [i, { key, value }] of presents.entries()) {
      builder.output(key, `present.${i}.key`);
      builder.output(value, `present.${i}.value`);
    }
    return builder.build();
  }

  /** Cosine and sine of each token's position, [batch, 1, sequence, pairs]. */
  #turn(positions: Value): Surroundings["turn"] {
    const { headWidth, ropeBase, ropeScaling } = this.#description;
    const builder = this.#builder;
    const frequencies = Float32Array.from(pairFrequencies(headWidth, ropeBase), (one) => one / ropeScaling);
    const steps = builder.op("Unsqueeze", [this.#math.cast(positions, "float32"), builder.ints(1, 3)]);
    const angles = this.#math.mul(steps, builder.constant(tensor("float32", [headWidth / 2], frequencies)));
    return { cos: builder.op("Cos", [angles]), sin: builder.op("Sin", [angles]) };
  }

  /** A token sees what is before it, and itself, where the caller's mask is 1. */
  #mask(ids: Value, attentionMask: Value): Value {
    const builder = this.#builder;
    const sizeOf = (value: Value): Value =>
      builder.op("Squeeze", [builder.op("Shape", [value], { start: 1, end: 2 }), builder.ints(0)]);
    const [zero, one] = [builder.scalar(0n, "int64"), builder.scalar(1n, "int64")];
    const total = sizeOf(attentionMask);
    const places = builder.op("Range", [zero, total, one]);
    const own = builder.op("Range", [builder.op("Sub", [total, sizeOf(ids)]), total, one]);
    const isLater = builder.op("Greater", [places, builder.op("Unsqueeze", [own, builder.ints(1)])]);
    const isMasked = builder.op("Unsqueeze", [this.#math.equal(attentionMask, 0), builder.ints(1)]);
    const isHidden = builder.op("Or", [isLater, isMasked]); // [batch, sequence, total]
    const scores = builder.op("Where", [isHidden, builder.scalar(hiddenScore), builder.scalar(0)]);
    return builder.op("Unsqueeze", [scores, builder.ints(1, 2)]);
  }

  async #block(
    name: string,
    x: Value,
    past: { readonly key: Value; readonly value: Value },
    weights: LlamaBlockWeights,
    surroundings: Surroundings,
  ): Promise<{ readonly x: Value; readonly key: Value; readonly value: Value }> {
    const math = this.#math;
    const { width, feedForwardWidth: inner } = this.#description;
    const normed = await this.#norm(`${name}.attention_norm`, x, weights.attentionNorm);
    const { mixed, key, value } = await this.#attention(name, normed, past, weights, surroundings);
    const attended = math.add(x, mixed);
    const second = await this.#norm(`${name}.feed_forward_norm`, attended, weights.feedForwardNorm);
    const gate = await this.#map(`${name}.gate`, second, width, inner, weights.gate);
    const up = await this.#map(`${name}.up`, second, width, inner, weights.up);
    const gated = math.mul(math.mul(gate, this.#builder.op("Sigmoid", [gate])), up);
    return { x: math.add(attended, await this.#map(`${name}.down`, gated, inner, width, weights.down)), key, value };
  }

  async #attention(
    name: string,
    x: Value,
    past: { readonly key: Value; readonly value: Value },
    weights: LlamaBlockWeights,
    { turn, mask }: Surroundings,
  ): Promise<{ readonly mixed: Value; readonly key: Value; readonly value: Value }> {
    const [math, builder] = [this.#math, this.#builder];
    const { width, heads, keyValueHeads, headWidth, ropeLayout } = this.#description;
    const inHeads = async (part: "query" | "key" | "value", count: number): Promise<Value> => {
      const made = await this.#map(`${name}.${part}`, x, width, count * headWidth, weights[part]);
      return math.transpose(math.reshape(made, [0, 0, count, headWidth]), [0, 2, 1, 3]);
    };
    const turned = (value: Value): Value => rotate(math, value, headWidth, turn, ropeLayout === "interleaved");
    const query = turned(await inHeads("query", heads));
    const key = math.concat([past.key, turned(await inHeads("key", keyValueHeads))], 2);
    const value = math.concat([past.value, await inHeads("value", keyValueHeads)], 2);
    // Heads of queries that share one of keys stand side by side: [batch, key heads, group, sequence, head].
    const grouped = math.reshape(query, [0, keyValueHeads, heads / keyValueHeads, -1, headWidth]);
    const shared = (cache: Value): Value => builder.op("Unsqueeze", [cache, builder.ints(2)]);
    const turnedKeys = math.transpose(shared(key), [0, 1, 2, 4, 3]);
    const scores = math.mul(builder.op("MatMul", [grouped, turnedKeys]), 1 / Math.sqrt(headWidth));
    const shares = builder.op("Softmax", [math.add(scores, mask)], { axis: -1 });
    const mixed = math.transpose(builder.op("MatMul", [shares, shared(value)]), [0, 3, 1, 2, 4]);
    const joined = math.reshape(mixed, [0, 0, heads * headWidth]);
    const output = await this.#map(
      `${name}.attention_output`,
      joined,
      heads * headWidth,
      width,
      weights.attentionOutput,
    );
    return { mixed: output, key, value };
  }

  /** x / √(mean(x²) + epsilon) · gain */
  async #norm(name: string, x: Value, source: WeightSource): Promise<Value> {
    const math = this.#math;
    const meanSquare = math.add(math.mean(math.mul(x, x), [-1], true), this.#description.normEpsilon);
    const gain = await this.#weight(name, [this.#description.width], source);
    return math.mul(math.mul(x, this.#builder.op("Reciprocal", [math.sqrt(meanSquare)])), gain);
  }

  async #map(name: string, x: Value, inputs: number, outputs: number, source: WeightSource): Promise<Value> {
    return this.#builder.op("MatMul", [x, await this.#kernel(name, inputs, outputs, source)]);
  }

  /** The sources' matrices are [outputs, inputs]; a product wants them the other way. */
  async #kernel(name: string, inputs: number, outputs: number, source: WeightSource): Promise<Value> {
    const matrix = await loaded(source);
    return this.#weight(name, [inputs, outputs], turned(matrix, outputs));
  }

  async #weight(name: string, shape: readonly number[], source: WeightSource): Promise<Value> {
    return this.#builder.initializer(name, tensor("float32", shape, await loaded(source)));
  }
}

const loaded = async (source: WeightSource): Promise<Float32Array> =>
  typeof source === "function" ? await source() : source;
