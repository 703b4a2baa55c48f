/** @file Recurrent layers whose steps the runtime walks by itself: RNN, GRU, LSTM. */
import { multiplyDims } from "../dim.ts";
import type { Dim } from "../shape.ts";
import { optional, preset } from "./attribute.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { floats, sameDtype, take, takeRank, unify } from "./rules.ts";

const settings = {
  activation_alpha: optional("floats"),
  activation_beta: optional("floats"),
  activations: optional("strings"),
  clip: optional("float"),
  direction: preset("string", "forward"),
  hidden_size: optional("int"),
  layout: preset("int", 0),
};

/** What all three check. `gates` is the number of blocks in the weights [directions, gates * hidden, input]. */
function recurrent(call: Call<typeof settings>, gates: number, states: number): readonly Inferred[] {
  const { direction, hidden_size, layout } = call.attributes;
  const x = take(call, 0, floats);
  const [first = 1, second = 1, features = 1] = takeRank(call, x, 3);
  const [steps, batch] = layout === 0 ? [first, second] : [second, first];
  const directions = direction === "bidirectional" ? 2 : 1;
  const [w, r] = [1, 2].map((index) => sameDtype(call, index, x) ?? call.input(index));
  if (w === undefined || r === undefined) return [];
  const [both = 1, rows = 1, taken = 1] = takeRank(call, w, 3);
  const [, , hidden = 1] = takeRank(call, r, 3);
  unify(call, directions, both, `"${w.name}" for directions:`);
  unify(call, taken, features, `"${x.name}" to have features:`);
  unify(call, multiplyDims(hidden, gates), rows, `"${w.name}" to have ${gates} blocks of rows:`);
  if (hidden_size !== undefined) unify(call, hidden, hidden_size, "attribute hidden_size");
  if (call.inputs[4] !== undefined) take(call, 4, ["int32"]);
  const last: Dim[] = layout === 0 ? [directions, batch, hidden] : [batch, directions, hidden];
  const all: Dim[] = layout === 0 ? [steps, directions, batch, hidden] : [batch, steps, directions, hidden];
  return [all, ...Array.from({ length: states }, () => last)].map((shape) => ({ dtype: x.dtype, shape }));
}

/**
 * Inputs: x [steps, batch, features], weights, recurrent weights, bias, lengths (int32 [batch]), first states; `layout` 1
 * puts the batch first. Outputs: the state of each step [steps, directions, batch, hidden], and the last states.
 */
export const recurrence = {
  RNN: operator({
    since: 14,
    inputs: [3, 6],
    outputs: [0, 2],
    attributes: settings,
    infer: (call) => recurrent(call, 1, 1),
  }),
  GRU: operator({
    since: 14,
    inputs: [3, 6],
    outputs: [0, 2],
    attributes: { ...settings, linear_before_reset: preset("int", 0) },
    infer: (call) => recurrent(call, 3, 1),
  }),
  /** Input 7 is the peepholes; the third output is the last cell state. */
  LSTM: operator({
    since: 14,
    inputs: [3, 8],
    outputs: [0, 3],
    attributes: { ...settings, input_forget: preset("int", 0) },
    infer: (call) => recurrent(call, 4, 2),
  }),
};
