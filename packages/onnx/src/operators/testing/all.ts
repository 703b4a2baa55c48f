/** @file Every operator's cases. */
import type { operators } from "../table.ts";
import type { CasesOf } from "./case.ts";
import { arithmeticCases, elementwiseCases } from "./elementwise.ts";
import { controlFlowCases, reductionCases } from "./folds.ts";
import { attentionCases, selectionCases, visionCases } from "./images.ts";
import { creationCases, gatheringCases, layoutCases, resizingCases, slicingCases } from "./moves.ts";
import { convolutionCases, matrixCases, normalizationCases, poolingCases } from "./products.ts";
import { quantizationCases, recurrenceCases } from "./recurrent.ts";
import { drawingCases, lossCases, signalCases, textCases } from "./signals.ts";

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
  ...attentionCases,
  ...drawingCases,
  ...lossCases,
  ...quantizationCases,
  ...recurrenceCases,
  ...selectionCases,
  ...signalCases,
  ...textCases,
  ...visionCases,
};
