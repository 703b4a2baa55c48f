/** @file Gradients of attention and of rotary positions as single operators, by writing them out. */
import { type OperatorName, tensor, type Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { writtenOut } from "../written-out.ts";

/** The most negative float32: a masked score, but a finite one, so that a row without any key has no NaN. */
const lowest = -3.4028234663852886e38;

/** [batch, length, heads * width] → [batch, heads, length, width]; what has 4 axes stays. */
function splitHeads(math: GraphMath, value: Value, heads: number): Value {
  const [batch = 1, length = 1, flat = 1, fourth] = sizesOf(value);
  if (fourth !== undefined) return value;
  return math.transpose(math.reshape(value, [batch, length, heads, flat / heads]), [0, 2, 1, 3]);
}

/** The way back, where `like` has 3 axes. */
function joinHeads(math: GraphMath, value: Value, like: Value): Value {
  if (like.shape.length === 4) return value;
  const [batch = 1, heads = 1, length = 1, width = 1] = sizesOf(value);
  return math.reshape(math.transpose(value, [0, 2, 1, 3]), [batch, length, heads * width]);
}

function refuse<O extends OperatorName>(call: GradientCall<O>, from: number, what: string): void {
  if (call.node.inputs.slice(from).some((input) => input !== undefined)) throw call.unsupported(what);
}

/** y = softmax(scale q kᵀ + mask) v, several heads of queries to one of keys. Scores are [batch, keyHeads, share, queries, keys]. */
const attention = writtenOut<"Attention">((call) => {
  const { math, settings } = call;
  refuse(call, 4, "past keys, past values and lengths are for generation: leave them out to train");
  if (settings.softcap !== 0) throw call.unsupported("attribute softcap has no rule");
  const q = splitHeads(math, call.input(0), settings.q_num_heads ?? 1);
  const [k, v] = [1, 2].map((i) => splitHeads(math, call.input(i), settings.kv_num_heads ?? 1)) as [Value, Value];
  const [batch = 1, heads = 1, queries = 1, width = 1] = sizesOf(q);
  const [, keyHeads = 1, keys = 1] = sizesOf(k);
  const share = heads / keyHeads;
  const shared = (value: Value): Value => math.reshape(value, [batch, keyHeads, 1, ...sizesOf(value).slice(2)]);
  const scaled = math.mul(q, settings.scale ?? 1 / Math.sqrt(width));
  const products = math.builder.op("MatMul", [
    math.reshape(scaled, [batch, keyHeads, share, queries, width]),
    math.transpose(shared(k), [0, 1, 2, 4, 3]),
  ]);
  const { added, visible, mayBeEmpty } = maskOf(call, [queries, keys], { keyHeads, share });
  const moved = added === undefined ? products : math.add(products, added);
  const scores = visible === undefined ? moved : math.where(visible, moved, lowest);
  const all = math.builder.op("Softmax", [scores], { axis: -1 });
  const shares = visible && mayBeEmpty ? math.where(visible, all, 0) : all;
  const mixed = math.builder.op("MatMul", [shares, shared(v)]);
  const joined = math.reshape(mixed, [batch, heads, queries, sizesOf(v)[3] ?? 1]);
  return [joinHeads(math, joined, call.input(0))];
});

/** What stands between queries and keys; every part broadcasts over [batch, keyHeads, share, queries, keys]. */
interface Mask {
  /** Numbers that are added to the scores. */
  readonly added: Value | undefined;
  /** Which keys a query sees. */
  readonly visible: Value | undefined;
  /** Whether a query may see none: its result is 0 then, as the runtime has it. */
  readonly mayBeEmpty: boolean;
}

/** The node's mask, of truth values or of numbers (where -Infinity hides a key), and with is_causal no key behind the query. */
function maskOf(
  call: GradientCall<"Attention">,
  [queries, keys]: readonly [number, number],
  { keyHeads, share }: { keyHeads: number; share: number },
): Mask {
  const { math } = call;
  const seen = Uint8Array.from({ length: queries * keys }, (_, i) => Number(i % keys <= Math.floor(i / keys)));
  const isCausal = call.settings.is_causal === 1;
  const early = isCausal ? math.builder.constant(tensor("bool", [queries, keys], seen)) : undefined;
  if (call.node.inputs[3] === undefined) return { added: undefined, visible: early, mayBeEmpty: false };
  const given = call.input(3);
  const [batch = 1, heads = 1, ...rest] = [1, 1, ...sizesOf(given)].slice(-4);
  const mask = math.reshape(given, [batch, heads === 1 ? 1 : keyHeads, heads === 1 ? 1 : share, ...rest]);
  const isTruth = mask.dtype === "bool";
  const own = isTruth ? mask : math.builder.op("GreaterOrEqual", [mask, math.scalar(lowest, mask)]);
  const visible = early === undefined ? own : math.builder.op("And", [own, early]);
  return { added: isTruth ? undefined : mask, visible, mayBeEmpty: true };
}

/** Pairs of elements turned by an angle: (a, b) → (a cos - b sin, a sin + b cos). */
const rotaryEmbedding = writtenOut<"RotaryEmbedding">((call) => {
  const { math, settings } = call;
  const x = splitHeads(math, call.input(0), settings.num_heads);
  const sizes = sizesOf(x);
  const [batch = 1, , length = 1, width = 1] = sizes;
  const turned = settings.rotary_embedding_dim === 0 ? width : settings.rotary_embedding_dim;
  const half = turned / 2;
  const [cosine, sine] = [1, 2].map((i) => {
    const table = call.input(i);
    const rows = call.node.inputs[3] === undefined ? table : math.builder.op("Gather", [table, call.input(3)]);
    return math.reshape(rows, [batch, 1, length, half]);
  }) as [Value, Value];
  const moving = turned === width ? x : math.slice(x, [3], [0], [turned]);
  const lead = sizes.slice(0, 3);
  const pairs = settings.interleaved === 1 ? [half, 2] : [2, half];
  const axis = settings.interleaved === 1 ? 4 : 3;
  const split = math.reshape(moving, [...lead, ...pairs]);
  const [a, b] = [0, 1].map((i) => math.reshape(math.slice(split, [axis], [i], [i + 1]), [...lead, half])) as [
    Value,
    Value,
  ];
  const sides = [
    math.sub(math.mul(a, cosine), math.mul(b, sine)),
    math.add(math.mul(a, sine), math.mul(b, cosine)),
  ].map((side) => math.reshape(side, [...lead, ...pairs.with(axis - 3, 1)]));
  const result = math.reshape(math.concat(sides, axis), [...lead, turned]);
  const whole = turned === width ? result : math.concat([result, math.slice(x, [3], [turned], [width])], 3);
  return [joinHeads(math, whole, call.input(0))];
});

/** Rules of attention. */
export const attentionRules = {
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
} satisfies Partial<GradientTable>;
