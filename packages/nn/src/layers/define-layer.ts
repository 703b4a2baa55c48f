/** @file How a kind of layer is defined: its settings, and three functions of them. */
import { ShapeError } from "@gristmill/onnx";
import { type ConfigOf, type Fields, readFields, sampleShape } from "../schema/field.ts";
import { dropUndefined } from "../schema/kind.ts";
import { Problems, shown } from "../schema/problems.ts";
import type { Features } from "./features.ts";
import type { Layer, LayerScope, Parameter } from "./layer.ts";
import { layerOf } from "./layer-of.ts";
import { formatSample, type SampleShape } from "./shape.ts";

/** An entry of the table of layers. */
export interface LayerKind {
  readonly type: string;
  readonly fields: Fields;
  /** The layer, or undefined after adding problems. */
  parse(raw: Readonly<Record<string, unknown>>, where: string, problems: Problems): Layer | undefined;
}

/** A kind and the function behind what people call, such as `dense(3)`. */
export type DefinedLayer = LayerKind & { make(settings: Readonly<Record<string, unknown>>): Layer };

/** What every definition says. */
interface Common<F extends Fields> {
  readonly type: string;
  readonly fields: F;
  /** What a model that begins with this layer is fed; float32 when left out. */
  readonly inputDtype?: "float32" | "int32";
  /** Settings that are each right and together wrong. */
  check?(config: ConfigOf<F>, where: string, problems: Problems): void;
}

/** A layer of one input and one output. */
export interface Definition<F extends Fields> extends Common<F> {
  /**
   * What becomes of a mask that comes in: "passes" hands it on unchanged; "reads" leaves it to `build`, which says what
   * mask its answer has; left out, a mask is refused, because padding would count as data.
   */
  readonly mask?: "passes" | "reads";
  outputShape(config: ConfigOf<F>, input: SampleShape, where: string): SampleShape;
  parameters?(config: ConfigOf<F>, input: SampleShape): readonly Parameter[];
  build(config: ConfigOf<F>, scope: LayerScope, input: Features): Features;
}

/** A layer of several inputs or outputs; it reads and makes masks itself. */
export interface ManyDefinition<F extends Fields> extends Common<F> {
  /** Least and most inputs. */
  readonly inputs: readonly [number, number];
  outputShapes(config: ConfigOf<F>, inputs: readonly SampleShape[], where: string): readonly SampleShape[];
  parameters?(config: ConfigOf<F>, inputs: readonly SampleShape[]): readonly Parameter[];
  build(config: ConfigOf<F>, scope: LayerScope, inputs: readonly Features[]): readonly Features[];
}

const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** Defines a layer of several inputs or outputs. */
export function defineManyLayer<F extends Fields>(definition: ManyDefinition<F>): DefinedLayer {
  const { type, fields, inputDtype, inputs: bounds } = definition;
  const parse: LayerKind["parse"] = (raw, where, problems) => {
    const before = problems.count;
    const { name, inputShape, trainable, ...settings } = raw;
    if (name !== undefined && (typeof name !== "string" || !namePattern.test(name)))
      problems.add(`${where}.name`, `expected a letter, then up to 63 letters, digits, _ . -, received ${shown(name)}`);
    if (trainable !== undefined && typeof trainable !== "boolean")
      problems.add(`${where}.trainable`, `expected true or false, received ${shown(trainable)}`);
    const entering =
      inputShape === undefined ? undefined : sampleShape().read(inputShape, `${where}.inputShape`, problems);
    const config = readFields(fields, settings, where, problems);
    if (config !== undefined) definition.check?.(config, where, problems);
    if (config === undefined || problems.count > before) return undefined;
    return layerOf({
      type,
      name: typeof name === "string" ? name : undefined,
      inputShape: entering,
      ...(inputDtype === undefined ? {} : { inputDtype }),
      trainable: trainable !== false,
      config,
      outputShapes(inputs, layer) {
        assertCount(bounds, inputs, layer);
        return definition.outputShapes(config, inputs, layer);
      },
      parameters: (inputs) => definition.parameters?.(config, inputs) ?? [],
      build: (scope, inputs) => definition.build(config, scope, inputs),
    });
  };
  return {
    type,
    fields,
    parse,
    make(settings) {
      const problems = new Problems();
      const layer = parse(dropUndefined(settings), type, problems);
      problems.throwIfAny();
      if (layer === undefined) throw new Error(`${type}: made no layer and named no problem`);
      return layer;
    },
  };
}

function assertCount([least, most]: readonly [number, number], inputs: readonly SampleShape[], where: string): void {
  if (inputs.length >= least && inputs.length <= most) return;
  const expected =
    least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  throw new ShapeError(
    where,
    `expected ${expected} ${most === 1 ? "input" : "inputs"}, received ${inputs.length} (${inputs.map(formatSample).join(", ")})`,
  );
}

/** Defines a layer of one input and one output. */
export function defineLayer<F extends Fields>(definition: Definition<F>): DefinedLayer {
  const { outputShape, parameters, build, mask, ...common } = definition;
  return defineManyLayer<F>({
    ...common,
    inputs: [1, 1],
    outputShapes: (config, [input = []], where) => [outputShape(config, input, where)],
    parameters: (config, [input = []]) => parameters?.(config, input) ?? [],
    build(config, scope, [input]) {
      if (input === undefined) throw new Error(`${scope.path}: built without an input`);
      if (input.mask !== undefined && mask === undefined)
        throw new ShapeError(
          scope.path,
          `expected samples without a mask, received one of [batch, steps]: ${definition.type} would count padding as data; put a layer that reads masks before it (lstm, gru, simpleRnn, globalAveragePooling1d), or leave out the masking`,
        );
      const made = build(config, scope, input);
      return [mask === "passes" ? { ...made, mask: input.mask } : made];
    },
  });
}
