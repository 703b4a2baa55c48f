/** @file Reads an ONNX file that someone sent. Pure: it decodes and checks, and never runs the model or loads native code. */
import { AppError, type ImageClassification, imageClassification, type TensorSignature } from "@gristmill/contract";
import { checkGraph, decodeModel, type Model, OnnxError } from "@gristmill/onnx";
import { signatureOf } from "./signature.ts";

/** Where our own artifacts say what their task is, so that a copy keeps it. */
export const taskMetadataKey = "gristmill.task";

/** What a file says about itself. */
export interface InspectedModel {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly task: ImageClassification | null;
  readonly parameters: number;
  readonly opset: number;
  readonly producer: string;
}

const shownProblems = 20;

/** @throws AppError `data.malformed` that says where. */
export function inspectOnnx(bytes: Uint8Array): InspectedModel {
  const model = decode(bytes);
  const problems = checkGraph(model);
  if (problems.length > 0) {
    const shown = problems.slice(0, shownProblems).map(({ where, message }) => ({ where, message }));
    const first = shown[0];
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    throw new AppError("data.malformed", `The model's graph is wrong at ${first?.where}: ${first?.message}${more}`, {
      details: { problems: shown, count: problems.length },
    });
  }
  const { inputs, outputs } = signatureOf(model.graph);
  if (outputs.length === 0) throw new AppError("data.malformed", "The model's graph has no outputs.");
  return {
    inputs,
    outputs,
    task: taskOf(model.metadata),
    parameters: parameterCount(model),
    opset: model.writtenOpset ?? model.opset,
    producer: model.producer,
  };
}

function decode(bytes: Uint8Array): Model {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    if (!(cause instanceof OnnxError)) throw cause;
    throw new AppError("data.malformed", `Not an ONNX model that can be read: ${cause.message}`, { cause });
  }
}

/** The task in the metadata; a foreign or damaged one is no task, since the model itself is still usable by tensors. */
function taskOf(metadata: Readonly<Record<string, string>>): ImageClassification | null {
  const text = metadata[taskMetadataKey];
  if (text === undefined) return null;
  try {
    return imageClassification.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // not JSON
  }
}

/** Elements of all weights that are numbers with a fraction: what training could change. */
function parameterCount({ graph }: Model): number {
  let count = 0;
  for (const { dtype, data } of graph.initializers.values()) if (dtype.startsWith("float")) count += data.length;
  return count;
}
