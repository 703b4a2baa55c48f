/** @file Every operator's cases. */
import type { operators } from "../table.ts";
import type { CasesOf } from "./case.ts";
import { arithmeticCases, elementwiseCases } from "./elementwise.ts";
import { controlFlowCases, reductionCases } from "./folds.ts";
import { creationCases, gatheringCases, layoutCases, resizingCases, slicingCases } from "./moves.ts";
import { convolutionCases, matrixCases, normalizationCases, poolingCases } from "./products.ts";

/** Cases by operator; `CasesOf` makes the compiler ask for each operator of the table. */
export const cases: CasesOf<typeof operators> = {
  ...arithmeticCases,
  ...controlFlowCases,
  ...convolutionCases,
  ...creationCases,
  ...elementwiseCases,
  ...gatheringCases,
  ...layoutCases,
  ...matrixCases,
  ...normalizationCases,
  ...poolingCases,
  ...reductionCases,
  ...resizingCases,
  ...slicingCases,
};
