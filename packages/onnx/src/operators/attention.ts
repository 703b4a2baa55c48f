/** @file Attention and rotary positions, as single operators. */
import { addDims, divideDims, exactQuotient, multiplyDims } from "../dim.ts";
import { type Dim, formatShape, type Shape } from "../shape.ts";
import { optional, preset } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { bools, floats, numeric, take, takeRank, unify } from "./rules.ts";

interface Heads {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly length: Dim;
  readonly width: Dim;
}

/** Sizes of [batch, heads, length, width], or of [batch, length, heads * width] with the number of heads given. */
function headsOf(call: Call, index: number, count: number | undefined, name: string): Heads {
  const value = call.input(index);
  const shape = takeRank(call, value, 3, 4);
  const [batch = 1, second = 1, third = 1, fourth = 1] = shape;
  if (shape.length === 4) return { batch, heads: second, length: third, width: fourth };
  if (count === undefined || count < 1) throw call.shapeError(`attribute ${name} for 3 axes`, formatShape(shape));
  const width = exactQuotient(third, count) ?? divideDims(third, count);
  if (typeof third === "number" && third % count !== 0)
    throw call.shapeError(`an axis 2 that ${count} heads divide`, formatShape(shape));
  return { batch, heads: count, length: second, width };
}

/** Attention as operators. */
export const attention = {
  /**
   * Inputs: queries, keys, values, mask, past keys, past values, lengths. Each of the first three is [batch, heads, length,
   * width], or [batch, length, heads * width] with `q_num_heads` and `kv_num_heads`. Outputs: result, all keys, all values
   * (with the past), scores.
   */
  Attention: operator({
    since: 23,
    inputs: [3, 7],
    outputs: [1, 4],
    attributes: {
      is_causal: preset("int", 0),
      kv_num_heads: optional("int"),
      q_num_heads: optional("int"),
      qk_matmul_output_mode: preset("int", 0),
      scale: optional("float"),
      softcap: preset("float", 0),
      softmax_precision: optional("int"),
    },
    infer: (call) => {
      const { kv_num_heads, q_num_heads } = call.attributes;
      const query = take(call, 0, floats);
      const [value] = [take(call, 2, floats), take(call, 1, floats)];
      const q = headsOf(call, 0, q_num_heads, "q_num_heads");
      const k = headsOf(call, 1, kv_num_heads, "kv_num_heads");
      const v = headsOf(call, 2, kv_num_heads, "kv_num_heads");
      unify(call, q.width, k.width, "keys as wide as queries:");
      unify(call, k.length, v.length, "as many values as keys:");
      if (call.inputs[3] !== undefined) take(call, 3, [...numeric, ...bools]);
      if ((call.inputs[4] === undefined) !== (call.inputs[5] === undefined))
        throw call.shapeError("past keys and past values", "only one of them");
      const past = call.inputs[4] === undefined ? 0 : (takeRank(call, call.input(4), 4)[2] ?? 0);
      const total = addDims(past, k.length);
      const flat = multiplyDims(q.heads, v.width);
      const shape: Shape = query.shape.length === 4 ? [q.batch, q.heads, q.length, v.width] : [q.batch, q.length, flat];
      return [
        { dtype: query.dtype, shape },
        { dtype: query.dtype, shape: [k.batch, k.heads, total, k.width] },
        { dtype: value.dtype, shape: [v.batch, v.heads, total, v.width] },
        { dtype: query.dtype, shape: [q.batch, q.heads, q.length, total] },
      ];
    },
  }),
  /** Inputs: x [batch, heads, length, width] or [batch, length, heads * width], cosines, sines, positions (int64). */
  RotaryEmbedding: operator({
    since: 23,
    inputs: [3, 4],
    outputs: [1, 1],
    attributes: {
      interleaved: preset("int", 0),
      num_heads: preset("int", 0),
      rotary_embedding_dim: preset("int", 0),
    },
    infer: (call) => {
      const x = take(call, 0, floats);
      const shape = takeRank(call, x, 3, 4);
      for (const index of [1, 2]) take(call, index, floats);
      if (call.inputs[3] !== undefined) take(call, 3, ["int64"]);
      if (shape.length === 3 && call.attributes.num_heads < 1)
        throw call.shapeError("attribute num_heads for 3 axes", formatShape(shape));
      return [{ dtype: x.dtype, shape }];
    },
  }),
};
