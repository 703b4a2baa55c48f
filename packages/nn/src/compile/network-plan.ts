/** @file The shapes of a network: every use of a layer with what enters, what leaves and what it keeps. Pure. */
import { OnnxError } from "@gristmill/onnx";
import { SpecError } from "../errors.ts";
import { countOf } from "../initializers/initializer.ts";
import type { Parameter } from "../layers/layer.ts";
import { fitsSample, formatSample, type SampleShape } from "../layers/shape.ts";
import type { Network, NetworkCall, NetworkInput } from "../network/network.ts";
import type { Problems } from "../schema/problems.ts";

/** One use of a layer, with its shapes. */
export interface PlannedCall extends NetworkCall {
  readonly inputShapes: readonly SampleShape[];
  readonly outputShapes: readonly SampleShape[];
  /** Of the layer; the same in each of its uses. */
  readonly parameters: readonly Parameter[];
}

/** A network whose shapes fit. */
export interface NetworkPlan {
  readonly inputs: readonly NetworkInput[];
  readonly calls: readonly PlannedCall[];
  readonly outputs: readonly { readonly name: string; readonly value: number; readonly shape: SampleShape }[];
}

/** Most bytes that one value of a sample, or one weight, may have: what an ONNX file can hold. */
const mostBytes = 2 ** 31 - 1;

/**
 * Plans the layers of a network. Problems are added; the plan is good when there is none. Places are those of a model's
 * description, or begin with `path` inside a composed layer.
 */
export function planNetwork(
  network: Network,
  shapes: readonly SampleShape[],
  problems: Problems,
  path?: string,
): NetworkPlan {
  const known = new Map<number, SampleShape>();
  network.inputs.forEach(({ name, shape }, i) => {
    const given = shapes[i] ?? shape;
    if (!fitsSample(shape, given))
      problems.add(name, `expected samples of ${formatSample(shape)}, received ${formatSample(given)}`);
    known.set(i, given);
  });
  const parameters = new Map<string, readonly Parameter[]>();
  const calls: PlannedCall[] = [];
  for (const [i, call] of network.calls.entries()) {
    if (problems.count > 0) break;
    const place = path === undefined ? `layers[${i}] (${call.name})` : `${path}/${call.name}`;
    const inputShapes = call.inputs.map((value) => known.get(value) ?? []);
    const planned = planCall(call, inputShapes, place, problems);
    if (planned === undefined) break;
    const before = parameters.get(call.name);
    if (before !== undefined && !isSameParameters(before, planned.parameters)) {
      problems.add(place, "expected samples of the same sizes in each use of a shared layer: its weights would differ");
      break;
    }
    parameters.set(call.name, planned.parameters);
    calls.push(planned);
    call.outputs.forEach((value, output) => void known.set(value, planned.outputShapes[output] ?? []));
  }
  return {
    inputs: network.inputs.map((input, i) => ({ ...input, shape: shapes[i] ?? input.shape })),
    calls,
    outputs: network.outputs.map((output) => ({ ...output, shape: known.get(output.value) ?? [] })),
  };
}

const isSameParameters = (a: readonly Parameter[], b: readonly Parameter[]): boolean =>
  a.length === b.length && a.every(({ name, shape }, i) => name === b[i]?.name && shape.join() === b[i]?.shape.join());

function planCall(
  call: NetworkCall,
  inputShapes: readonly SampleShape[],
  place: string,
  problems: Problems,
): PlannedCall | undefined {
  const { layer } = call;
  const [entering] = inputShapes;
  if (layer.inputShape !== undefined && entering !== undefined && !fitsSample(layer.inputShape, entering)) {
    problems.add(
      place,
      `expected inputShape ${formatSample(entering)}, as what comes before makes, received ${formatSample(layer.inputShape)}`,
    );
    return undefined;
  }
  try {
    const outputShapes = layer.outputShapes(inputShapes, place);
    const parameters = layer.parameters(inputShapes).map((one) => (layer.trainable ? one : { ...one, frozen: true }));
    const sized = [
      ...outputShapes.map((shape) => ({ shape, what: "its output" })),
      ...parameters.map(({ shape, name }) => ({ shape, what: `weight ${name}` })),
    ];
    for (const { shape, what } of sized)
      if (countOf(shape.map((size) => size ?? 1)) * 4 > mostBytes)
        problems.add(place, `expected ${what} to have at most 2 GiB, received ${formatSample(shape)}`);
    return { ...call, inputShapes, outputShapes, parameters };
  } catch (error) {
    // the shapes after this layer are unknown, so its problem is the last
    addShapeProblem(error, problems);
    return undefined;
  }
}

/** Notes what does not fit. @throws whatever else it is */
export function addShapeProblem(error: unknown, problems: Problems): void {
  if (error instanceof SpecError) for (const one of error.problems) problems.add(one.where, one.message);
  if (error instanceof SpecError) return;
  if (!(error instanceof OnnxError)) throw error;
  problems.add(error.where, error.message.slice(error.where.length + 2));
}
