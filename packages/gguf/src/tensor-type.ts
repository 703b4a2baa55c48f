/**
 * @file How GGUF keeps the numbers of a tensor: number of the type, elements per block, bytes per block.
 * Source: ggml.h (`ggml_type`) and ggml-common.h (`block_*`) of ggml.
 */
const table = {
  F32: [0, 1, 4],
  F16: [1, 1, 2],
  Q4_0: [2, 32, 18],
  Q4_1: [3, 32, 20],
  Q5_0: [6, 32, 22],
  Q5_1: [7, 32, 24],
  Q8_0: [8, 32, 34],
  Q8_1: [9, 32, 40],
  Q2_K: [10, 256, 84],
  Q3_K: [11, 256, 110],
  Q4_K: [12, 256, 144],
  Q5_K: [13, 256, 176],
  Q6_K: [14, 256, 210],
  Q8_K: [15, 256, 292],
  IQ2_XXS: [16, 256, 66],
  IQ2_XS: [17, 256, 74],
  IQ3_XXS: [18, 256, 98],
  IQ1_S: [19, 256, 50],
  IQ4_NL: [20, 32, 18],
  IQ3_S: [21, 256, 110],
  IQ2_S: [22, 256, 82],
  IQ4_XS: [23, 256, 136],
  I8: [24, 1, 1],
  I16: [25, 1, 2],
  I32: [26, 1, 4],
  I64: [27, 1, 8],
  F64: [28, 1, 8],
  IQ1_M: [29, 256, 56],
  BF16: [30, 1, 2],
  TQ1_0: [34, 256, 54],
  TQ2_0: [35, 256, 66],
  MXFP4: [39, 32, 17],
} as const satisfies Record<string, readonly [code: number, blockElements: number, blockBytes: number]>;

/** A way to keep a tensor's numbers. */
export type GgufTensorType = keyof typeof table;

const names = Object.keys(table) as readonly GgufTensorType[];

/** Type of a number on the wire; undefined for those that are not known. */
export const typeOfCode = (code: number): GgufTensorType | undefined => names.find((name) => table[name][0] === code);

/** Number of a type on the wire. */
export const codeOf = (type: GgufTensorType): number => table[type][0];

/** Elements that share a scale, which lie next to each other in a row. */
export const blockElements = (type: GgufTensorType): number => table[type][1];

/** Bytes of one block. */
export const blockBytes = (type: GgufTensorType): number => table[type][2];
