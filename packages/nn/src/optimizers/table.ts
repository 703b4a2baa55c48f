/** @file Every optimizer by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { adadeltaKind } from "./adadelta.ts";
import { adafactorKind } from "./adafactor.ts";
import { adagradKind } from "./adagrad.ts";
import { adamKind, adamwKind } from "./adam.ts";
import { adamaxKind } from "./adamax.ts";
import { lionKind } from "./lion.ts";
import { nadamKind } from "./nadam.ts";
import type { Optimizer } from "./optimizer.ts";
import { rmspropKind } from "./rmsprop.ts";
import { sgdKind } from "./sgd.ts";

/** Every optimizer. */
export const optimizers = {
  sgd: sgdKind,
  rmsprop: rmspropKind,
  adagrad: adagradKind,
  adadelta: adadeltaKind,
  adam: adamKind,
  adamw: adamwKind,
  adamax: adamaxKind,
  nadam: nadamKind,
  lion: lionKind,
  adafactor: adafactorKind,
} satisfies KindTable<Optimizer>;

/** The name of an optimizer. */
export type OptimizerName = keyof typeof optimizers;
