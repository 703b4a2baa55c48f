/** @file Transformers put together from attention, normalization and dense layers. */
import { add, dense, dropout, layerNormalization, multiHeadAttention, type SymbolicTensor } from "@gristmill/nn";

/** Sizes of a stack of blocks. */
export interface TransformerSizes {
  readonly layers: number;
  readonly heads: number;
  /** Numbers of a step. */
  readonly width: number;
  readonly dropout: number;
  /** Whether a step sees only those before it. */
  readonly isCausal: boolean;
}

/**
 * Blocks of attention and a network of two dense layers, each normalized before and added to what went in.
 * Source: Vaswani et al. 2017, arXiv:1706.03762; normalization first as in Radford et al. 2019 (GPT-2).
 */
export function transformerBlocks(entering: SymbolicTensor, sizes: TransformerSizes): SymbolicTensor {
  const { layers, heads, width, isCausal } = sizes;
  const drop = (value: SymbolicTensor): SymbolicTensor => dropout(sizes.dropout).apply(value);
  let value = drop(entering);
  for (let i = 0; i < layers; i++) {
    const looks = multiHeadAttention(heads, width / heads, { useCausalMask: isCausal });
    value = add().apply([value, drop(looks.apply(layerNormalization().apply(value)))]);
    const widened = dense(4 * width, { activation: "gelu" }).apply(layerNormalization().apply(value));
    value = add().apply([value, drop(dense(width).apply(widened))]);
  }
  return layerNormalization().apply(value);
}
