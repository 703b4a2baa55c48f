/** @file What a layer is: settings, the shape it makes, the weights it wants, and its forward graph. No state, no randomness. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { type ConfigOf, type Fields, type Json, readFields, sampleShape } from "../schema/field.ts";
import { dropUndefined, type KindSpec } from "../schema/kind.ts";
import { Problems, shown } from "../schema/problems.ts";
import type { Features } from "./features.ts";
import type { Storage } from "./storage.ts";

/** A weight that a layer wants. */
export interface Parameter {
  /** Unique in its layer: "kernel", "bias". */
  readonly name: string;
  /** Keras' shape. */
  readonly shape: readonly number[];
  readonly initializer: KindSpec;
}

/** What a layer may use while it writes its forward graph. */
export interface LayerScope {
  readonly math: GraphMath;
  /** True in the graph that trains: dropout drops only there. */
  readonly training: boolean;
  /** The weight of a declared name, kept as `storage` says (as declared, when left out). */
  weight(name: string, storage?: Storage): Value;
  /** A uint32 scalar that differs for every (seed, step, layer); only while training. */
  randomKey(): Value;
}

/** A layer of a model. */
export interface Layer {
  readonly type: string;
  /** Given by the caller; the model names the others. */
  readonly name: string | undefined;
  /** Sizes of one sample that enters; on the first layer it is the model's. */
  readonly inputShape: readonly number[] | undefined;
  /** Every setting, as JSON. */
  readonly config: Readonly<Record<string, Json>>;
  /**
   * Sizes of one sample that leaves.
   * @throws ShapeError when `input` does not fit: names the layer (`where`), expected and received.
   */
  outputShape(input: readonly number[], where: string): readonly number[];
  /** The weights for samples of these sizes, in Keras' order. */
  parameters(input: readonly number[]): readonly Parameter[];
  /** Writes the forward graph. */
  build(scope: LayerScope, input: Features): Features;
}

/** One layer in JSON. */
export type LayerSpec = { readonly type: string; readonly [setting: string]: Json };

/** An entry of the table of layers. */
export interface LayerKind {
  readonly type: string;
  readonly fields: Fields;
  /** The layer, or undefined after adding problems. */
  parse(raw: Readonly<Record<string, unknown>>, where: string, problems: Problems): Layer | undefined;
}

/** Settings that every layer takes. */
export interface CommonOptions {
  /** Letters, digits, `_`, `-` and `.`; unique in the model. */
  readonly name?: string;
  /** Sizes of one sample that enters, on the first layer. */
  readonly inputShape?: readonly number[];
}

interface Definition<F extends Fields> {
  readonly type: string;
  readonly fields: F;
  outputShape(config: ConfigOf<F>, input: readonly number[], where: string): readonly number[];
  parameters?(config: ConfigOf<F>, input: readonly number[]): readonly Parameter[];
  build(config: ConfigOf<F>, scope: LayerScope, input: Features): Features;
  /** Settings that are each right and together wrong. */
  check?(config: ConfigOf<F>, where: string, problems: Problems): void;
}

const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** Makes a table's entry and the function that people call. */
export function defineLayer<F extends Fields>(
  definition: Definition<F>,
): LayerKind & { make(settings: Readonly<Record<string, unknown>>): Layer } {
  const parse = (raw: Readonly<Record<string, unknown>>, where: string, problems: Problems): Layer | undefined => {
    const before = problems.count;
    const { name, inputShape, ...settings } = raw;
    if (name !== undefined && (typeof name !== "string" || !namePattern.test(name)))
      problems.add(`${where}.name`, `expected a letter, then up to 63 letters, digits, _ . -, received ${shown(name)}`);
    const entering =
      inputShape === undefined ? undefined : sampleShape().read(inputShape, `${where}.inputShape`, problems);
    const config = readFields(definition.fields, settings, where, problems);
    if (config !== undefined) definition.check?.(config, where, problems);
    if (config === undefined || problems.count > before) return undefined;
    return {
      type: definition.type,
      name: typeof name === "string" ? name : undefined,
      inputShape: entering,
      config,
      outputShape: (input, layer) => definition.outputShape(config, input, layer),
      parameters: (input) => definition.parameters?.(config, input) ?? [],
      build: (scope, input) => definition.build(config, scope, input),
    };
  };
  return {
    type: definition.type,
    fields: definition.fields,
    parse,
    make(settings) {
      const problems = new Problems();
      const layer = parse(dropUndefined(settings), definition.type, problems);
      problems.throwIfAny();
      if (layer === undefined) throw new Error(`${definition.type}: made no layer and named no problem`);
      return layer;
    },
  };
}

/** Sizes of an image sample. @throws ShapeError for anything but [height, width, channels]. */
export function imageShape(input: readonly number[], where: string): readonly [number, number, number] {
  const [height, width, channels] = input;
  if (input.length !== 3 || height === undefined || width === undefined || channels === undefined)
    throw new ShapeError(
      where,
      `expected samples of [height, width, channels], received [${input.join(", ")}]; put it before flatten(), or give the first layer an inputShape of three sizes`,
    );
  return [height, width, channels];
}
