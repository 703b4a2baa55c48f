/** @file Reads an ONNX file that someone sent. Pure: it decodes and checks, and never runs the model or loads native code. */
import { AppError, type ImageClassification, imageClassification, type TensorSignature } from "@gristmill/contract";
import { frontFromText, frontKey, GgufError } from "@gristmill/gguf";
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
  /** The type that most of them have, in GGUF's words: "F32". */
  readonly quantization: string;
  /** The front of a GGUF file, which makes it a language model. */
  readonly front: Uint8Array | undefined;
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
    ...weightsOf(model),
    front: frontOf(model.metadata),
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

/** The front in the metadata: who brings one along means it. */
function frontOf(metadata: Readonly<Record<string, string>>): Uint8Array | undefined {
  const text = metadata[frontKey];
  try {
    return text === undefined ? undefined : frontFromText(text);
  } catch (cause) {
    if (!(cause instanceof GgufError)) throw cause;
    throw new AppError("data.malformed", `The model's metadata is wrong at ${cause.message}.`, {
      details: { where: cause.where },
      cause,
    });
  }
}

/** Of all weights that are numbers with a fraction, which training could change: how many elements, and their commonest type. */
function weightsOf({ graph }: Model): { parameters: number; quantization: string } {
  const byType = new Map<string, number>();
  for (const { dtype, data } of graph.initializers.values())
    if (/float/.test(dtype)) byType.set(dtype, (byType.get(dtype) ?? 0) + data.length);
  const [most] = [...byType].toSorted(([, a], [, b]) => b - a);
  const parameters = [...byType.values()].reduce((sum, count) => sum + count, 0);
  return { parameters, quantization: (most?.[0] ?? "").replace("float", "f").toUpperCase() };
}
