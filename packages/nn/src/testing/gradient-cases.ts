/** @file A small graph for each rule and each way in which rules go wrong. */
import type { gradientRules } from "../autodiff/table.ts";
import { elementCases } from "./gradient-cases/elements.ts";
import { movingCases } from "./gradient-cases/moving.ts";
import { windowCases } from "./gradient-cases/windows.ts";
import type { GradientCase } from "./gradient-check.ts";

type Table = typeof gradientRules;
/** Operators whose entry is a rule. */
export type RuledOperator = { [O in keyof Table]: Table[O] extends string ? never : O }[keyof Table];

/** Cases of every rule: one that has none does not compile. */
export const gradientCases = { ...elementCases, ...movingCases, ...windowCases } satisfies {
  readonly [O in RuledOperator]: readonly GradientCase[];
};
