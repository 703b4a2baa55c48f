/** @file Models as safetensors: weights under Keras' names, shapes and order, and the description beside them. */
import { tensor } from "@gristmill/onnx";
import { DataError } from "../errors.ts";
import { type StoredTensor, toFloat32, toShortFloats } from "../formats/elements.ts";
import { FileFormatError } from "../formats/format-error.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsLimits } from "../formats/safetensors/index.ts";
import { Model } from "../model/model.ts";
import type { NamedWeight } from "../model/weights.ts";
import { parseModel } from "../spec/model-spec.ts";

/** Names of the description and the seed among a file's texts. */
const [specKey, seedKey] = ["gristmill.spec", "gristmill.seed"];

/** How to write a model. */
export interface ToSafetensorsOptions {
  /** "float32" when not said. The short ones halve the file and round the weights. */
  readonly dtype?: "float32" | "float16" | "bfloat16";
  /** Further texts, such as a licence. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A model's weights in their order ("dense_1/kernel"), and its description as a text: `fromSafetensors` makes the same
 * model of it. What an optimizer remembers is not in the file: `save` keeps that.
 * @throws DataError for weights that float16 cannot hold.
 */
export function toSafetensors(
  model: Pick<Model, "getWeights" | "toSpec" | "seed">,
  { dtype = "float32", metadata = {} }: ToSafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const tensors = new Map(model.getWeights().map((weight) => [weight.name, stored(weight, dtype)]));
  const own = { [specKey]: JSON.stringify(model.toSpec()), [seedKey]: String(model.seed) };
  return encodeSafetensors(tensors, { ...metadata, ...own }, { order: "given" });
}

function stored({ name, value }: NamedWeight, dtype: "float32" | "float16" | "bfloat16"): StoredTensor {
  const { shape, data } = value;
  if (dtype === "float32") return { dtype, shape, data };
  const short: StoredTensor = { dtype, shape, data: toShortFloats(dtype, data) };
  const back = toFloat32(short);
  const lost = back.findIndex((number, i) => !Number.isFinite(number) && Number.isFinite(data[i]));
  if (lost >= 0)
    throw new DataError(
      `${name}: ${data[lost]} is too large for ${dtype}; write the model as float32${dtype === "float16" ? " or bfloat16" : ""}`,
    );
  return short;
}

/**
 * The model of a file that `toSafetensors` wrote.
 * @throws FileFormatError when the bytes are damaged, or have no description.
 * @throws SpecError, DataError when the description or the weights do not fit.
 */
export function fromSafetensors(bytes: Uint8Array, limits: SafetensorsLimits = {}): Model {
  const { metadata, tensors } = decodeSafetensors(bytes, limits);
  const [spec, seed] = [metadata[specKey], metadata[seedKey]];
  if (spec === undefined)
    throw new FileFormatError(
      "safetensors",
      `expected a description under ${specKey}; build the model and use loadSafetensors for files of others`,
    );
  const planned = parseModel(parsed(spec));
  // before the model allocates weights: a description may claim any number of them
  for (const { id, parameter } of planned.plan.weights) {
    const shape = tensors.get(id)?.shape;
    if (shape?.join() !== parameter.shape.join())
      throw new DataError(`${id}: expected [${parameter.shape}], received ${shape ? `[${shape}]` : "no such tensor"}`);
  }
  const model = new Model(planned, { seed: /^\d{1,15}$/.test(seed ?? "") ? Number(seed) : 0 });
  model.setWeights(weightsOf(tensors, (name) => name));
  return model;
}

function parsed(spec: string): unknown {
  try {
    return JSON.parse(spec);
  } catch (cause) {
    throw new FileFormatError(`safetensors, ${specKey}`, "expected JSON", { cause });
  }
}

/** How to take weights over. */
export interface LoadSafetensorsOptions {
  /** The model's name for a tensor of the file; nothing leaves the tensor out. The same name when not said. */
  readonly rename?: (name: string) => string | undefined;
  /** True takes what is there and leaves the model's other weights as they are. False, when not said, wants all. */
  readonly isPartial?: boolean;
}

/**
 * Puts a file's weights into a model that has been built: float32, and other floating types turned to it.
 * @throws DataError for weights that are missing, unknown, or of another shape.
 */
export function loadSafetensors(
  model: Pick<Model, "setWeights" | "loadWeights">,
  tensors: ReadonlyMap<string, StoredTensor>,
  { rename = (name) => name, isPartial = false }: LoadSafetensorsOptions = {},
): void {
  const weights = weightsOf(tensors, rename);
  if (isPartial) model.loadWeights(weights);
  else model.setWeights(weights);
}

function weightsOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  rename: (name: string) => string | undefined,
): NamedWeight[] {
  return [...tensors].flatMap(([theirs, value]) => {
    const name = rename(theirs);
    if (name === undefined) return [];
    if (!value.dtype.includes("float"))
      throw new DataError(`${theirs}: expected a floating type, received ${value.dtype}; leave it out by rename`);
    return [{ name, value: tensor("float32", value.shape, toFloat32(value)) }];
  });
}
