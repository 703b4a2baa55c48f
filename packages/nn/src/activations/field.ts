/** @file The `activation` setting of a layer: a word, or {"type": word, ...} where it has settings of its own. */
import type { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import type { SampleShape } from "../layers/shape.ts";
import type { Field } from "../schema/field.ts";
import { type Kind, type KindSpec, type Made, madeFrom, parseKind } from "../schema/kind.ts";
import { Problems } from "../schema/problems.ts";
import type { Activation } from "./activation.ts";
import { type ActivationName, activations } from "./table.ts";

/** An activation as layers keep it: its name where every setting has its default, else {"type": name, ...}. */
export type ActivationSpec = ActivationName | KindSpec;

/** What callers may write for it: also one made by its function, `activations.leakyRelu({ negativeSlope: 0.1 })`. */
export type ActivationOption = ActivationSpec | Made<Activation>;

const isName = (type: string): type is ActivationName => Object.hasOwn(activations, type);

/** The name alone where a spec says nothing beyond it, so that one activation has one form. */
function shortest(spec: KindSpec): ActivationSpec {
  if (!isName(spec.type)) return spec;
  const kind: Kind<Activation> = activations[spec.type];
  const plain = kind.parse({}, spec.type, new Problems());
  return plain !== undefined && JSON.stringify(plain.spec) === JSON.stringify(spec) ? spec.type : spec;
}

const field = (fallback: ActivationName | undefined, anyShape: boolean): Field<ActivationSpec> => ({
  expected: 'the name of an activation or {"type": name, ...}',
  ...(fallback === undefined ? {} : { fallback }),
  read(value, where, problems) {
    const made = parseKind<Activation>(activations, "an activation", value, where, problems);
    if (made === undefined) return undefined;
    if (!anyShape && made.value.outputShape !== undefined) {
      problems.add(
        where,
        `${made.spec.type} changes the number of channels; write it as a layer of its own: activation("${made.spec.type}")`,
      );
      return undefined;
    }
    return shortest(made.spec);
  },
});

/** Reads the activation of a layer that has other work too; required without a fallback. */
export const activationField = (fallback?: ActivationName): Field<ActivationSpec> => field(fallback, false);

/** Reads the activation of a layer that is nothing else, whose answer may have another shape than what enters. */
export const anyActivationField = (): Field<ActivationSpec> => field(undefined, true);

const activationOf = (spec: ActivationSpec): Activation =>
  madeFrom<Activation>(activations, typeof spec === "string" ? { type: spec } : spec);

/** Applies an activation. */
export const activate = (math: GraphMath, spec: ActivationSpec, input: Features): Features =>
  activationOf(spec)(math, input);

/** What an activation makes of a sample's sizes: the same sizes, but for glu. @throws ShapeError */
export const activatedShape = (spec: ActivationSpec, input: SampleShape): SampleShape =>
  activationOf(spec).outputShape?.(input) ?? input;
