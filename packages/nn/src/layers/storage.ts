/** @file Weights are kept in the order that their graph reads fastest, and shown in Keras' order. This is the way between. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/**
 * How a weight is kept: the outside array read as `view`, its axes permuted by `order`, and the result read as `stored`.
 * The product of `view` and of `stored` is the weight's number of elements.
 */
export interface Storage {
  readonly view: readonly number[];
  readonly order: readonly number[];
  readonly stored: readonly number[];
}

/** A weight that is kept as it is shown. */
export const asShown = (shape: readonly number[]): Storage => ({
  view: shape,
  order: shape.map((_, axis) => axis),
  stored: shape,
});

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

/** A weight kept in one way, for a reader that wants it in another: layers that share it may differ. */
export function relay(math: GraphMath, value: Value, from: Storage, to: Storage): Value {
  if (isSame(from.order, to.order) && isSame(from.view, to.view)) return math.reshape(value, to.stored);
  const permuted = math.reshape(
    value,
    from.order.map((axis) => from.view[axis] ?? 1),
  );
  const back = from.order.map((_, axis) => from.order.indexOf(axis));
  const shown = math.reshape(math.transpose(permuted, back), to.view);
  return math.reshape(math.transpose(shown, to.order), to.stored);
}

/** Outside order to inside order. */
export const store = (data: Float32Array, { view, order }: Storage): Float32Array<ArrayBuffer> =>
  permuted(data, view, order);

/** Inside order to outside order. */
export function show(data: Float32Array, { view, order }: Storage): Float32Array<ArrayBuffer> {
  const back = order.map((_, axis) => order.indexOf(axis));
  return permuted(
    data,
    order.map((axis) => view[axis] ?? 1),
    back,
  );
}

/** The array with its axes in another order: axis i of the result is axis `order[i]` of `data`. */
function permuted(data: Float32Array, sizes: readonly number[], order: readonly number[]): Float32Array<ArrayBuffer> {
  if (order.every((axis, i) => axis === i)) return Float32Array.from(data);
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1));
  const result = new Float32Array(data.length);
  const at = order.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from] ?? 0;
    // count up the last axis, carrying to the ones before it
    for (let i = order.length - 1; i >= 0; i--) {
      const axis = order[i] ?? 0;
      const count = (at[i] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if (count < (sizes[axis] ?? 1)) {
        at[i] = count;
        break;
      }
      from -= count * (strides[axis] ?? 0);
      at[i] = 0;
    }
  }
  return result;
}
