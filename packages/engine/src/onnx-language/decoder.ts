/** @file A decoder that remembers, on ONNX Runtime: the names of Hugging Face Optimum's exported decoders. */
import { createSession, emptyArray, type Session, type Tensor, tensor } from "@gristmill/onnx";
import { EngineRunError } from "../errors.ts";

/** Keys and values of what was read: the inputs of the next run. */
export interface Cache {
  readonly length: number;
  readonly tensors: Readonly<Record<string, Tensor<"float32">>>;
}

/** Sizes of one input of the past. */
interface PastPort {
  readonly name: string;
  readonly heads: number;
  readonly headWidth: number;
}

const known = ["input_ids", "attention_mask", "position_ids"];

/** One loaded model. */
export class Decoder {
  /** Logits of a token; undefined where the file doesn't say. */
  readonly vocabularySize: number | undefined;
  /** Bytes that a token takes in a cache. */
  readonly bytesPerToken: number;
  readonly #session: Session;
  readonly #pasts: readonly PastPort[];
  readonly #takes: ReadonlySet<string>;

  constructor(session: Session) {
    this.#session = session;
    this.#takes = new Set(session.inputs.map(({ name }) => name));
    this.#pasts = pastPorts(session);
    this.bytesPerToken = this.#pasts.reduce((sum, { heads, headWidth }) => sum + 4 * heads * headWidth, 0);
    const size = session.outputs.find(({ name }) => name === "logits")?.shape.at(-1);
    this.vocabularySize = typeof size === "number" ? size : undefined;
  }

  /** A cache of nothing. */
  empty(): Cache {
    const tensors = this.#pasts.map(({ name, heads, headWidth }) => [
      name,
      tensor("float32", [1, heads, 0, headWidth], new Float32Array(0)),
    ]);
    return { length: 0, tensors: Object.fromEntries(tensors) };
  }

  /** Reads tokens that follow what a cache holds; gives the last one's logits and the cache with them. */
  async read(tokens: Uint32Array, cache: Cache): Promise<{ readonly logits: Float32Array; readonly cache: Cache }> {
    const length = cache.length + tokens.length;
    const int64 = (count: number, value: (at: number) => number): Tensor =>
      tensor(
        "int64",
        [1, count],
        BigInt64Array.from({ length: count }, (_, at) => BigInt(value(at))),
      );
    const feeds: Record<string, Tensor> = {
      ...cache.tensors,
      input_ids: int64(tokens.length, (at) => tokens[at] ?? 0),
    };
    if (this.#takes.has("attention_mask")) feeds["attention_mask"] = int64(length, () => 1);
    if (this.#takes.has("position_ids")) feeds["position_ids"] = int64(tokens.length, (at) => cache.length + at);
    const { outputs } = await this.#session.run(feeds);
    const tensors = this.#pasts.map(({ name }) => [name, floats(outputs, presentOf(name))]);
    const logits = floats(outputs, "logits");
    return {
      logits: logits.data.subarray(logits.data.length - (logits.shape.at(-1) ?? 0)),
      cache: { length, tensors: Object.fromEntries(tensors) },
    };
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** Loads the model of a file. @throws SessionError; EngineRunError for one that is no decoder. */
export async function openDecoder(path: string, options: { name: string; threads: number }): Promise<Decoder> {
  const session = await createSession(path, options);
  try {
    return new Decoder(session);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The beginning of a cache. */
export function cutCache(cache: Cache, length: number): Cache {
  if (length >= cache.length) return cache;
  const cut = ({ shape, data }: Tensor<"float32">): Tensor<"float32"> => {
    const [, heads = 0, , headWidth = 0] = shape;
    const kept = emptyArray("float32", heads * length * headWidth);
    for (let head = 0; head < heads; head++) {
      const from = head * cache.length * headWidth;
      kept.set(data.subarray(from, from + length * headWidth), head * length * headWidth);
    }
    return tensor("float32", [1, heads, length, headWidth], kept);
  };
  return {
    length,
    tensors: Object.fromEntries(Object.entries(cache.tensors).map(([name, value]) => [name, cut(value)])),
  };
}

const pastName = /^past_key_values\.\d+\.(key|value)$/;
const presentOf = (past: string): string => past.replace("past_key_values", "present");

function pastPorts({ inputs, outputs }: Session): PastPort[] {
  const expectPort = (holds: boolean, what: string, received: string): void => {
    if (!holds)
      throw new EngineRunError(`the model is no decoder with a cache: expected ${what}, received ${received}`);
  };
  const named = new Map(outputs.map((port) => [port.name, port]));
  expectPort(
    inputs.some(({ name }) => name === "input_ids"),
    "an input input_ids",
    inputs.map(({ name }) => name).join(", "),
  );
  const ports: PastPort[] = [];
  for (const { name, dtype, shape } of inputs) {
    if (known.includes(name)) {
      expectPort(
        dtype === "int64" && shape.length === 2,
        `${name} of int64 and two axes`,
        `${dtype} of ${shape.length}`,
      );
      continue;
    }
    const [, heads, , headWidth] = shape;
    expectPort(pastName.test(name), `inputs ${known.join(", ")} and past_key_values.N.key and .value`, name);
    expectPort(
      dtype === "float32" && shape.length === 4,
      `${name} of float32 and four axes`,
      `${dtype} of ${shape.length}`,
    );
    expectPort(named.has(presentOf(name)), `an output ${presentOf(name)}`, "none");
    if (typeof heads !== "number" || typeof headWidth !== "number")
      throw new EngineRunError(`the model is no decoder with a cache: expected known sizes of ${name}`);
    ports.push({ name, heads, headWidth });
  }
  expectPort(ports.length > 0, "inputs past_key_values.N.key and .value", "none");
  expectPort(
    named.get("logits")?.dtype === "float32",
    "an output logits of float32",
    named.get("logits")?.dtype ?? "none",
  );
  return ports;
}

function floats(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor<"float32"> {
  const value = outputs[name];
  if (value?.dtype !== "float32")
    throw new EngineRunError(`expected an output ${name} of float32, received ${value?.dtype ?? "none"}`);
  return value;
}
