/** @file The setting of a layer that is an initializer. */
import type { Field } from "../schema/field.ts";
import { type KindSpec, kindField, type Made } from "../schema/kind.ts";
import type { Initializer } from "./initializer.ts";
import { type InitializerName, initializers } from "./table.ts";

/** How a weight begins: the name of an initializer, its JSON, or one made by its function. */
export type InitializerOption = InitializerName | KindSpec | Made<Initializer>;

/** A setting that says how a weight begins; `fallback` when left out. */
export const initializerField = (fallback: InitializerName): Field<KindSpec> =>
  kindField(initializers, "an initializer", fallback);
