import { describe, expect, it } from "vitest";
import { SpecError } from "../../errors.ts";
import { describeLayer } from "../../testing/describe-layer.ts";
import { dense } from "../core/dense.ts";
import { bidirectional } from "./bidirectional.ts";
import { gru } from "./gru.ts";
import { lstm } from "./lstm.ts";
import { simpleRnn } from "./simple-rnn.ts";
import { timeDistributed } from "./time-distributed.ts";

const steps = { input: [4, 2], anyLength: [0], wrongInput: [5] };
const both = (gates: number, bias: readonly number[] = [3 * gates]) =>
  Object.fromEntries(
    ["forward", "backward"].flatMap((direction) => [
      [`${direction}/kernel`, [2, 3 * gates]],
      [`${direction}/recurrent_kernel`, [3, 3 * gates]],
      [`${direction}/bias`, bias],
    ]),
  );

describeLayer("bidirectional", [
  { name: "lstm, joined", make: () => bidirectional(lstm(3)), ...steps, output: [6], weights: both(4) },
  {
    name: "gru of all steps, multiplied",
    make: () => bidirectional(gru(3, { returnSequences: true }), { mergeMode: "mul" }),
    ...steps,
    output: [4, 3],
    weights: both(3, [2, 9]),
  },
  {
    name: "not merged, with states given and returned",
    make: () => bidirectional(simpleRnn(3, { returnSequences: true, returnState: true }), { mergeMode: null }),
    inputs: [[4, 2], [3], [3]],
    outputs: [[4, 3], [4, 3], [3], [3]],
    weights: both(1),
  },
  {
    name: "with a layer of its own for the way back",
    make: () =>
      bidirectional(simpleRnn(3), {
        backwardLayer: gru(3, { goBackwards: true, resetAfter: false }),
        mergeMode: "sum",
      }),
    ...steps,
    output: [3],
    weights: {
      "forward/kernel": [2, 3],
      "forward/recurrent_kernel": [3, 3],
      "forward/bias": [3],
      "backward/kernel": [2, 9],
      "backward/recurrent_kernel": [3, 9],
      "backward/bias": [9],
    },
  },
]);

describeLayer("timeDistributed", [
  {
    name: "dense",
    make: () => timeDistributed(dense(3, { activation: "tanh" })),
    ...steps,
    output: [4, 3],
    weights: { kernel: [2, 3], bias: [3] },
  },
  {
    name: "a recurrent layer over the inner steps",
    make: () => timeDistributed(simpleRnn(3, { returnSequences: true })),
    input: [2, 4, 2],
    output: [2, 4, 3],
    anyLength: [0],
    wrongInput: [4, 2],
    weights: { kernel: [2, 3], recurrent_kernel: [3, 3], bias: [3] },
  },
]);

describe("bidirectional refuses", () => {
  it("layers that are not recurrent", () => {
    expect(() => bidirectional(dense(3))).toThrow(SpecError);
    expect(() => bidirectional(dense(3))).toThrow(
      'bidirectional.layer: expected a recurrent layer (lstm, gru, simpleRnn), received "dense"',
    );
  });

  it("two layers that do not go together", () => {
    const mixed = () => bidirectional(lstm(3), { backwardLayer: lstm(4, { returnSequences: true }) });
    expect(mixed).toThrow("bidirectional.backwardLayer.units: expected 3, as the forward layer says, received 4");
    expect(mixed).toThrow("bidirectional.backwardLayer.returnSequences: expected false");
    expect(mixed).toThrow("bidirectional.backwardLayer.goBackwards: expected true: the other way");
  });

  it("unknown ways to merge, and says which it knows", () => {
    expect(() => bidirectional(lstm(3), { mergeMode: "average" as "ave" })).toThrow(
      /mergeMode: expected one of "concat", "sum", "mul", "ave", "none", received "average"/,
    );
  });
});
