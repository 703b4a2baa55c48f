/** @file One model of ONNX's tests: read, typed, written again, run, and compared with what ONNX says comes out. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeModel } from "../format/decode.ts";
import { encodeModel } from "../format/encode.ts";
import { decodeTensor } from "../format/tensor-file.ts";
import { assertModel } from "../graph/check.ts";
import { formatGraph } from "../graph/format.ts";
import type { Model, Value } from "../graph/graph.ts";
import { createSession } from "../session/session.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { difference } from "./difference.ts";
import type { Tolerance } from "./tolerance.ts";

/** Runs the model in a folder on each of its data sets. @throws Error that says what is refused, or what differs. */
export async function runCase(folder: string, tolerance: Tolerance): Promise<void> {
  const model = decodeModel(readFileSync(join(folder, "model.onnx")));
  assertModel(model);
  const bytes = encodeModel(model);
  const again = formatGraph(decodeModel(bytes).graph);
  if (again !== formatGraph(model.graph)) throw new Error("the model changes when it is written and read again");
  const session = await createSession(bytes, { threads: 1, name: "session", optimization: "basic" });
  try {
    for (const set of readdirSync(folder).filter((name) => name.startsWith("test_data_set_"))) {
      const feeds = namedTensors(join(folder, set), "input", inputsOf(model));
      const { outputs } = await session.run(feeds);
      compare(model.graph.outputs, namedTensors(join(folder, set), "output", model.graph.outputs), outputs, tolerance);
    }
  } finally {
    await session.close();
  }
}

/** Inputs that have to be fed: those without a weight of their name. */
const inputsOf = ({ graph }: Model): readonly Value[] =>
  graph.inputs.filter(({ name }) => !graph.initializers.has(name));

function namedTensors(folder: string, kind: "input" | "output", values: readonly Value[]): Record<string, Tensor> {
  const files = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`));
  return Object.fromEntries(
    values
      .slice(0, files.length)
      .map(({ name }, i) => [name, decodeTensor(readFileSync(join(folder, `${kind}_${i}.pb`)))]),
  );
}

function compare(
  inferred: readonly Value[],
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
  tolerance: Tolerance,
): void {
  for (const { name, dtype, shape } of inferred) {
    const [want, got] = [expected[name], actual[name]];
    if (want === undefined || got === undefined) throw new Error(`output ${name} is missing`);
    const fits =
      dtype === want.dtype &&
      shape.length === want.shape.length &&
      shape.every((dim, axis) => typeof dim === "string" || dim === want.shape[axis]);
    if (!fits)
      throw new Error(
        `output ${name} is inferred as ${dtype}${formatShape(shape)}, but is ${want.dtype}${formatShape(want.shape)}`,
      );
    const differs = difference(want, got, tolerance);
    if (differs !== undefined) throw new Error(`output ${name} ${differs}`);
  }
}
