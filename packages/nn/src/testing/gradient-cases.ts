/** @file A small graph for each rule and each way in which rules go wrong. */
import type { gradientRules } from "../autodiff/table.ts";
import { convolutionCases } from "./gradient-cases/convolutions.ts";
import { elementCases } from "./gradient-cases/elements.ts";
import { importedCases } from "./gradient-cases/imported.ts";
import { movingCases } from "./gradient-cases/moving.ts";
import { normalizationCases } from "./gradient-cases/normalizations.ts";
import { poolCases } from "./gradient-cases/pools.ts";
import { productCases } from "./gradient-cases/products.ts";
import { quantizationCases } from "./gradient-cases/quantization.ts";
import { resizingCases } from "./gradient-cases/resizing.ts";
import { scanCases } from "./gradient-cases/scan.ts";
import type { GradientCase } from "./gradient-check.ts";

type Table = typeof gradientRules;
/** Operators whose entry is a rule. */
export type RuledOperator = { [O in keyof Table]: Table[O] extends string ? never : O }[keyof Table];

/** Cases of every rule: one that has none does not compile. */
export const gradientCases = {
  ...convolutionCases,
  ...elementCases,
  ...importedCases,
  ...movingCases,
  ...normalizationCases,
  ...poolCases,
  ...productCases,
  ...quantizationCases,
  ...resizingCases,
  ...scanCases,
} satisfies {
  readonly [O in RuledOperator]: readonly GradientCase[];
};
