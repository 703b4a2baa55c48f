import { dropout, layerNormalization, type SymbolicTensor, transformerEncoder } from "@gristmill/nn";

/** Sizes of a stack of blocks. */
export interface TransformerSizes {
  readonly layers: number;
  readonly heads: number;
  /** Numbers of a step. */
  readonly width: number;
  readonly dropout: number;
  /** Whether a step sees only itself and those before it. */
  readonly isCausal: boolean;
}

/** Blocks of a transformer one after the other, normalized before each part and at the end, as in GPT-2. */
export function transformerBlocks(entering: SymbolicTensor, sizes: TransformerSizes): SymbolicTensor {
  let value = dropout(sizes.dropout).apply(entering);
  for (let i = 0; i < sizes.layers; i++)
    value = transformerEncoder(4 * sizes.width, sizes.heads, {
      activation: "gelu",
      dropout: sizes.dropout,
      normalizeFirst: true,
      useCausalMask: sizes.isCausal,
    }).apply(value);
  return layerNormalization().apply(value);
}
