/** @file A rule for operators that others can say: the node is written out of them, and those are differentiated. */
import type { OperatorName, Value } from "@gristmill/onnx";
import type { GradientCall, GradientRule } from "./rule.ts";

/**
 * - `write` gives the node's outputs once more, made of operators that have rules; undefined for outputs that nobody may
 *   train through. What of it the gradient does not need is pruned with the graph.
 */
export const writtenOut =
  <O extends OperatorName>(write: (call: GradientCall<O>) => readonly (Value | undefined)[]): GradientRule<O> =>
  (call) => {
    const { math, node } = call;
    const start = math.builder.nodes.length;
    const outputs = write(call);
    const tape = math.builder.nodes.slice(start);
    const seeds = node.outputs.flatMap((_, i) => {
      const [value, gradient] = [outputs[i], call.gradient(i)];
      if (gradient === undefined) return [];
      if (value === undefined) throw call.unsupported(`output ${i} may not be trained through`);
      return [{ value, gradient }];
    });
    // a value that comes in twice gets all of its gradient once
    const wanted = [...new Set(node.inputs.filter((_, i) => call.needs(i)))].filter((input) => input !== undefined);
    const found = new Map(call.differentiate(math, tape, seeds, wanted).map((gradient, i) => [wanted[i], gradient]));
    return node.inputs.map((input, i) => {
      const gradient = call.needs(i) ? found.get(input) : undefined;
      found.delete(input);
      return gradient;
    });
  };
