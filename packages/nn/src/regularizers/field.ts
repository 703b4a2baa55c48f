/** @file The setting of a layer that is a regularizer. */
import type { Field } from "../schema/field.ts";
import { type KindSpec, type Made, optionalKindField } from "../schema/kind.ts";
import type { Regularizer } from "./regularizer.ts";
import { type RegularizerName, regularizers } from "./table.ts";

/** What is added to the loss for a weight: the name of a regularizer, its JSON, one made by its function, or null for none. */
export type RegularizerOption = RegularizerName | KindSpec | Made<Regularizer> | null;

/** A setting that says what is added to the loss for a weight; null, for nothing, when left out. */
export const regularizerField = (): Field<KindSpec | null, null> => optionalKindField(regularizers, "a regularizer");
