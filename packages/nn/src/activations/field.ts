/** @file The `activation` setting of a layer: one word. */

import type { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import { type Field, oneOf } from "../schema/field.ts";
import { type ActivationName, activations } from "./table.ts";

const words = Object.keys(activations) as ActivationName[];

/** Reads the name of an activation; required without a fallback. */
export const activationField = (fallback?: ActivationName): Field<ActivationName> => oneOf(words, fallback);

/** Applies an activation by its name. */
export const activate = (math: GraphMath, name: ActivationName, input: Features): Features =>
  activations[name].of().value(math, input);
