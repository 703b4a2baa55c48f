/**
 * @file A model as one file: description, weights, optimizer's memory, seed and progress, and a checksum over all.
 * Layout: 8 bytes magic; header length, uint32 little-endian; header, JSON; float32 little-endian tensors in Keras' order
 * and layout, one after the other; SHA-256 of everything before it.
 */
import { createHash } from "node:crypto";
import type { Plan } from "../compile/plan.ts";
import { CheckpointError, SpecError } from "../errors.ts";
import { countOf } from "../initializers/initializer.ts";
import { show, store } from "../layers/storage.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Json } from "../schema/field.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { type CompileSpec, type MadeObjective, parseObjective } from "../spec/compile-spec.ts";
import { type ModelSpec, type PlannedModel, parseModel } from "../spec/model-spec.ts";
import type { Memory } from "../training/control.ts";
import type { StateArrays } from "../training/state.ts";
import { arrayOf, statePlaces } from "./weights.ts";

// "GMNN", a line end and an end of file that text transfers would change, and the format's version
const magic = Uint8Array.of(0x47, 0x4d, 0x4e, 0x4e, 0x0d, 0x0a, 0x1a, 1);
const checksumBytes = 32;
const mostHeaderBytes = 2 ** 26; // the graphs of imported models are in it

/** What a file holds. */
export interface Checkpoint {
  readonly spec: ModelSpec;
  readonly compile: CompileSpec | undefined;
  readonly seed: number;
  /** Epochs trained. */
  readonly epoch: number;
  /** Optimizer steps taken. */
  readonly step: number;
  /** What callbacks have made of the learning rate. */
  readonly rateFactor: number;
  /** What callbacks remember. */
  readonly memory: Memory;
  /** As kept. */
  readonly state: StateArrays;
}

/** A checkpoint whose description has been read. */
export interface LoadedCheckpoint extends Checkpoint {
  readonly model: PlannedModel;
  readonly made: MadeObjective | undefined;
}

/** Writes a file's bytes. */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  plan: Plan,
  optimizer: Optimizer | undefined,
): Uint8Array<ArrayBuffer> {
  const { spec, compile, seed, epoch, step, rateFactor, memory, state } = checkpoint;
  const kept = [...memory.weights.keys()];
  const places = [...statePlaces(plan, optimizer), ...keptPlaces(plan, kept)];
  const tensors = places.map(({ id, shape }) => ({ id, shape }));
  const header = new TextEncoder().encode(
    JSON.stringify({
      spec,
      compile,
      seed,
      epoch,
      step,
      rateFactor,
      kept,
      notes: Object.fromEntries(memory.notes),
      tensors,
    }),
  );
  const floats = places.reduce((sum, { shape }) => sum + countOf(shape), 0);
  const bytes = new Uint8Array(magic.length + 4 + header.length + 4 * floats + checksumBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(magic.length, header.length, true);
  bytes.set(header, magic.length + 4);
  let at = magic.length + 4 + header.length;
  const keptArrays: StateArrays = new Map(
    [...memory.weights].flatMap(([name, arrays]) => [...arrays].map(([id, data]) => [keptId(name, id), data] as const)),
  );
  for (const { id, storage } of places)
    for (const value of show(arrayOf(state.has(id) ? state : keptArrays, id), storage)) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  bytes.set(createHash("sha256").update(bytes.subarray(0, at)).digest(), at);
  return bytes;
}

const problem = (where: string, message: string, cause?: unknown): CheckpointError =>
  new CheckpointError(`saved model, ${where}: ${message}`, cause === undefined ? undefined : { cause });

/**
 * Reads a file's bytes. Nothing is allocated before its size is known to be in the file.
 * @throws CheckpointError saying what is wrong where.
 */
export function decodeCheckpoint(bytes: Uint8Array): LoadedCheckpoint {
  const body = checkedBody(bytes);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = view.getUint32(magic.length, true);
  const start = magic.length + 4;
  if (length > mostHeaderBytes || start + length > body.length)
    throw problem(
      "header",
      `expected at most ${Math.min(mostHeaderBytes, body.length - start)} bytes, received ${length}`,
    );
  const header = readHeader(body.subarray(start, start + length));
  const ofState = statePlaces(header.model.plan, header.made?.objective.optimizer);
  const places = [...ofState, ...keptPlaces(header.model.plan, header.kept)];
  const expected = JSON.stringify(places.map(({ id, shape }) => ({ id, shape })));
  if (JSON.stringify(header.tensors) !== expected)
    throw problem("tensors", "they are not those of the model and its optimizer");
  const floats = places.reduce((sum, { shape }) => sum + countOf(shape), 0);
  const left = body.length - start - length;
  if (left !== 4 * floats) throw problem("tensors", `expected ${4 * floats} bytes, received ${left}`);
  let at = start + length;
  const all = new Map(
    places.map(({ id, shape, storage }) => {
      const data = Float32Array.from({ length: countOf(shape) }, (_, i) => view.getFloat32(at + 4 * i, true));
      at += 4 * data.length;
      return [id, store(data, storage)] as const;
    }),
  );
  const state = new Map(ofState.map(({ id }) => [id, arrayOf(all, id)]));
  return { ...header, memory: memoryOf(header, all), state };
}

/** Everything before the checksum, after checking it. */
function checkedBody(bytes: Uint8Array): Uint8Array {
  if (bytes.length < magic.length + 4 + checksumBytes)
    throw problem("size", `expected more than ${bytes.length} bytes: the file is cut off`);
  if (magic.some((byte, i) => bytes[i] !== byte))
    throw problem("start", "these bytes are no saved model of this package and version");
  const body = bytes.subarray(0, bytes.length - checksumBytes);
  const sum = createHash("sha256").update(body).digest();
  const kept = bytes.subarray(body.length);
  if (sum.some((byte, i) => kept[i] !== byte))
    throw problem("checksum", "it does not match: the file is damaged or cut off");
  return body;
}

interface Header extends Omit<LoadedCheckpoint, "state" | "memory"> {
  readonly tensors: unknown;
  /** Callbacks that keep weights. */
  readonly kept: readonly string[];
  /** What callbacks remember. */
  readonly notes: ReadonlyMap<string, Json>;
}

/** Name of a weight that a callback keeps. */
const keptId = (callback: string, weight: string): string => `${callback}@${weight}`;

const keptPlaces = (plan: Plan, callbacks: readonly string[]) =>
  callbacks.flatMap((callback) =>
    statePlaces(plan, undefined).map((place) => ({ ...place, id: keptId(callback, place.id) })),
  );

const memoryOf = ({ kept, notes, model }: Header, all: StateArrays): Memory => ({
  notes: new Map(notes),
  weights: new Map(
    kept.map((callback) => [
      callback,
      new Map(model.plan.weights.map(({ id }) => [id, arrayOf(all, keptId(callback, id))])),
    ]),
  ),
});

function readHeader(bytes: Uint8Array): Header {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw problem("header", "it is not JSON", cause);
  }
  if (!isRecord(raw)) throw problem("header", `expected an object, received ${shown(raw)}`);
  const { spec, compile, tensors } = raw;
  const count = (name: string): number => {
    const value = raw[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
      throw problem("header", `expected ${name} to be a whole number from 0, received ${shown(value)}`);
    return value;
  };
  try {
    const model = parseModel(spec);
    const made = compile === undefined ? undefined : parseObjective(compile, model.plan.outputs);
    return {
      spec: spec as ModelSpec, // parseModel has read it
      compile: made?.spec,
      model,
      made,
      seed: count("seed"),
      epoch: count("epoch"),
      step: count("step"),
      rateFactor: factorOf(raw["rateFactor"]),
      tensors,
      kept: namesOf(raw["kept"]),
      notes: new Map(Object.entries((isRecord(raw["notes"]) ? raw["notes"] : {}) as Readonly<Record<string, Json>>)),
    };
  } catch (cause) {
    if (cause instanceof SpecError) throw problem("header", cause.message, cause);
    throw cause;
  }
}

/** Files of before callbacks have none. */
function factorOf(value: unknown): number {
  if (value === undefined) return 1;
  if (typeof value !== "number" || !(value > 0 && value < Number.POSITIVE_INFINITY))
    throw problem("header", `expected rateFactor to be a number above 0, received ${shown(value)}`);
  return value;
}

/** Files of before callbacks kept weights have none. */
function namesOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === "string") && new Set(value).size === value.length)
    return value;
  throw problem("header", `expected kept to be a list of names, received ${shown(value)}`);
}
