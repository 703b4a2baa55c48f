/** @file The gradient of every operator, from one file a family. An operator without a line here does not compile. */
import type { GradientTable } from "./rule.ts";
import { arithmeticRules } from "./rules/arithmetic.ts";
import { attentionRules } from "./rules/attention.ts";
import { controlFlowRules, creationRules } from "./rules/control-flow.ts";
import { convolutionRules } from "./rules/convolution.ts";
import { elementwiseRules } from "./rules/elementwise.ts";
import { importedRules } from "./rules/imported.ts";
import { indexingRules } from "./rules/indexing.ts";
import { layoutRules } from "./rules/layout.ts";
import { lossRules } from "./rules/losses.ts";
import { matrixRules } from "./rules/matrix.ts";
import { normalizationRules } from "./rules/normalization.ts";
import { poolingRules } from "./rules/pooling.ts";
import { quantizationRules } from "./rules/quantization.ts";
import { recurrentRules } from "./rules/recurrent.ts";
import { reductionRules } from "./rules/reduction.ts";
import { resizingRules } from "./rules/resizing.ts";
import { scalingRules } from "./rules/scaled.ts";
import { scanRules } from "./rules/scan.ts";

/** The table. */
export const gradientRules = {
  ...arithmeticRules,
  ...attentionRules,
  ...controlFlowRules,
  ...convolutionRules,
  ...creationRules,
  ...elementwiseRules,
  ...importedRules,
  ...indexingRules,
  ...layoutRules,
  ...lossRules,
  ...matrixRules,
  ...normalizationRules,
  ...poolingRules,
  ...quantizationRules,
  ...recurrentRules,
  ...reductionRules,
  ...resizingRules,
  ...scalingRules,
  ...scanRules,
} satisfies GradientTable;
