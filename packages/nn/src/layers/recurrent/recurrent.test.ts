import { describeLayer, type LayerCase } from "../../testing/describe-layer.ts";
import { gru } from "./gru.ts";
import { lstm } from "./lstm.ts";
import { simpleRnn } from "./simple-rnn.ts";

const steps = { input: [4, 2], anyLength: [0], wrongInput: [5] };
const weightsOf = (gates: number, bias: readonly number[] = [gates * 3]) => ({
  kernel: [2, gates * 3],
  recurrent_kernel: [3, gates * 3],
  bias,
});

/** What every recurrent layer of three units is asked. */
function commonCases(make: typeof simpleRnn, weights: LayerCase["weights"], states: number): LayerCase[] {
  const state = Array.from({ length: states }, () => [3]);
  const options = weights === undefined ? {} : { weights };
  return [
    { name: "the last answer", make: () => make(3), ...steps, output: [3], ...options },
    {
      name: "all answers and the states, first states given",
      make: () => make(3, { returnSequences: true, returnState: true }),
      inputs: [[4, 2], ...state],
      outputs: [[4, 3], ...state],
      ...options,
    },
    {
      name: "backwards",
      make: () => make(3, { returnSequences: true, goBackwards: true }),
      ...steps,
      output: [4, 3],
      ...options,
    },
    {
      name: "with dropout of both kinds",
      make: () => make(3, { dropout: 0.4, recurrentDropout: 0.3 }),
      ...steps,
      output: [3],
      ...options,
    },
    { name: "one step, without returning", make: () => make(3), input: [1, 2], output: [3], ...options },
  ];
}

describeLayer("simpleRnn", [
  ...commonCases(simpleRnn, weightsOf(1), 1),
  {
    name: "without bias, linear",
    make: () => simpleRnn(3, { useBias: false, activation: "linear" }),
    ...steps,
    output: [3],
    weights: { kernel: [2, 3], recurrent_kernel: [3, 3] },
  },
]);

describeLayer("lstm", [
  ...commonCases(lstm, weightsOf(4), 2),
  {
    name: "activations with settings, and one that looks at all units of a gate",
    make: () => lstm(3, { activation: { type: "leakyRelu", negativeSlope: 0.1 }, recurrentActivation: "softmax" }),
    ...steps,
    output: [3],
    weights: weightsOf(4),
    dtype: "float32",
  },
]);

describeLayer("gru", [
  ...commonCases(gru, weightsOf(3, [2, 9]), 1),
  {
    name: "reset before the product",
    make: () => gru(3, { resetAfter: false, returnSequences: true }),
    ...steps,
    output: [4, 3],
    weights: weightsOf(3),
  },
]);
