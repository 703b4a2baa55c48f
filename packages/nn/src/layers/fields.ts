/**
 * @file Fields for the settings of layers of one's own, under one name because theirs are everyday words:
 * `fields: { units: fields.size(), rate: fields.fraction(0.1), start: fields.initializer("zeros") }`.
 *
 * A field without a fallback is required. What a field reads is JSON, so that a model's description can hold it.
 */
export { activationField as activation } from "../activations/field.ts";
export { initializerField as initializer } from "../initializers/field.ts";
export { regularizerField as regularizer } from "../regularizers/field.ts";
export {
  anyNumber,
  field,
  flag,
  fraction,
  listOf,
  numberWhere,
  oneOf,
  optional,
  positive,
  sampleShape,
  size,
  words,
} from "../schema/field.ts";
export { layerField as layer } from "./layer-field.ts";
