/** @file Every operator that this package knows, from one file a family. An operator is added by one entry in its family. */

import { arithmetic } from "./arithmetic.ts";
import { attention } from "./attention.ts";
import type { Given, Resolved } from "./attribute.ts";
import { controlFlow } from "./control-flow.ts";
import { convolution } from "./convolution.ts";
import { creation } from "./creation.ts";
import { elementwise } from "./elementwise.ts";
import { gathering } from "./gather.ts";
import { layout } from "./layout.ts";
import { loss } from "./losses.ts";
import { matrix } from "./matrix.ts";
import { normalization } from "./normalization.ts";
import type { Operator } from "./operator.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { drawing } from "./random.ts";
import { recurrence } from "./recurrent.ts";
import { reduction } from "./reduction.ts";
import { resizing } from "./resize.ts";
import { selection } from "./selection.ts";
import { signal } from "./signal.ts";
import { slicing } from "./slice.ts";
import { text } from "./text.ts";
import { vision } from "./vision.ts";

/** The table: operators of the domain ai.onnx by name. */
export const operators = {
  ...arithmetic,
  ...controlFlow,
  ...convolution,
  ...creation,
  ...elementwise,
  ...gathering,
  ...layout,
  ...matrix,
  ...normalization,
  ...pooling,
  ...reduction,
  ...resizing,
  ...slicing,
  ...vision,
  ...text,
  ...signal,
  ...selection,
  ...recurrence,
  ...quantization,
  ...loss,
  ...drawing,
  ...attention,
};

/** Name of an operator of the table. */
export type OperatorName = keyof typeof operators;

/** What a caller may set on a node of operator O. */
export type AttributesOf<O extends OperatorName> = Given<(typeof operators)[O]["attributes"]>;

/** What a node of operator O says, with ONNX's defaults filled in. */
export type SettingsOf<O extends OperatorName> = Resolved<(typeof operators)[O]["attributes"]>;

const byName: ReadonlyMap<string, Operator> = new Map(Object.entries(operators as Readonly<Record<string, Operator>>));

/** Names of all operators, sorted. */
export const operatorNames: readonly OperatorName[] = (Object.keys(operators) as OperatorName[]).sort();

/** The entry of an operator; undefined when the table has none (another domain, or one that nobody added yet). */
export const findOperator = (name: string, domain = ""): Operator | undefined =>
  domain === "" || domain === "ai.onnx" ? byName.get(name) : undefined;
