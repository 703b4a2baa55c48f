import { defineKind, type KindTable, kindField, madeFrom } from "../schema/kind.ts";
import { countOf, type Initializer } from "./initializer.ts";

/**
 * The first bias of an LSTM: 1 for the forget gate, the second quarter, so that memories last from the first step on
 * (Jozefowicz et al., 2015); the other three quarters as `others` says.
 * @param table the initializers that `others` may be.
 */
export const unitForgetBias = (table: KindTable<Initializer>) =>
  defineKind(
    "unitForgetBias",
    { others: kindField(table, "an initializer", "zeros") },
    ({ others }): Initializer =>
      (shape, key) => {
        const data = madeFrom(table, others)(shape, key);
        const units = countOf(shape) / 4;
        return data.fill(1, units, 2 * units);
      },
  );
