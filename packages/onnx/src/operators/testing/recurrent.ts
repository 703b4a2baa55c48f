/** @file Cases of recurrent layers and of quantization. */
import { dtypeCode } from "../../dtype.ts";
import type { quantization } from "../quantization.ts";
import type { recurrence } from "../recurrent.ts";
import { type CasesOf, f, fed, fixed, type Given, of } from "./case.ts";

const weights = (...shape: number[]): Given => ({ ...f(...shape), fixed: true });

/** Cases of `recurrent.ts`. */
export const recurrenceCases: CasesOf<typeof recurrence> = {
  RNN: [
    {
      note: "forward",
      inputs: [f(5, 2, 3), weights(1, 4, 3), weights(1, 4, 4)],
      attributes: { hidden_size: 4 },
      outputs: 2,
    },
  ],
  GRU: [
    {
      note: "both ways",
      inputs: [f(5, 2, 3), weights(2, 12, 3), weights(2, 12, 4), weights(2, 24)],
      attributes: { hidden_size: 4, direction: "bidirectional", linear_before_reset: 1 },
      outputs: 2,
    },
    {
      note: "backward",
      inputs: [f(5, 2, 3), weights(1, 12, 3), weights(1, 12, 4)],
      attributes: { hidden_size: 4, direction: "reverse" },
    },
  ],
  LSTM: [
    {
      note: "lengths and first states",
      inputs: [
        f(5, 2, 3),
        weights(1, 16, 3),
        weights(1, 16, 4),
        undefined,
        of("int32", [2], 5, 3),
        weights(1, 2, 4),
        weights(1, 2, 4),
      ],
      attributes: { hidden_size: 4 },
      outputs: 3,
      numbersOnly: "the batch of the lengths is axis 1 of x",
    },
    {
      note: "all outputs",
      inputs: [f(5, 2, 3), weights(1, 16, 3), weights(1, 16, 4)],
      attributes: { hidden_size: 4 },
      outputs: 3,
    },
  ],
};

const one = (dtype: "float32" | "uint8" | "int8", value: number): Given => fixed(dtype, [], value);
const bytes = (dtype: "uint8" | "int8", ...shape: number[]): Given => fed(dtype, ...shape);

/** Cases of `quantization.ts`. */
export const quantizationCases: CasesOf<typeof quantization> = {
  QuantizeLinear: [
    { note: "one scale", inputs: [f(2, 3), one("float32", 0.5)] },
    { note: "a scale a column", inputs: [f(2, 3), weights(3), fixed("int8", [3], 0, 1, 2)] },
    { note: "a named type", inputs: [f(2, 3), one("float32", 0.5)], attributes: { output_dtype: dtypeCode("int8") } },
    {
      note: "blocks",
      inputs: [f(2, 4), weights(2, 2)],
      attributes: { block_size: 2 },
      numbersOnly: "scales are fixed",
    },
  ],
  DequantizeLinear: [
    { note: "one scale", inputs: [bytes("uint8", 2, 3), one("float32", 0.5), one("uint8", 3)] },
    {
      note: "a scale a row",
      inputs: [bytes("int8", 2, 3), weights(2)],
      attributes: { axis: 0 },
      numbersOnly: "2 scales",
    },
    { note: "int32", inputs: [fed("int32", 2, 3), one("float32", 0.5)] },
  ],
  DynamicQuantizeLinear: [{ note: "a matrix", inputs: [f(2, 3)], outputs: 3 }],
  MatMulInteger: [
    { note: "matrices", inputs: [bytes("uint8", 2, 3), bytes("int8", 3, 4)] },
    {
      note: "a batch, zero points",
      inputs: [bytes("uint8", 2, 2, 3), bytes("uint8", 3, 4), one("uint8", 1), one("uint8", 2)],
    },
  ],
  ConvInteger: [
    {
      note: "padded",
      inputs: [bytes("uint8", 1, 2, 5, 5), { ...bytes("uint8", 3, 2, 3, 3), fixed: true }, one("uint8", 1)],
      attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
    },
  ],
  QLinearMatMul: [
    {
      note: "matrices",
      inputs: [
        bytes("uint8", 2, 3),
        one("float32", 0.1),
        one("uint8", 1),
        bytes("uint8", 3, 4),
        one("float32", 0.1),
        one("uint8", 1),
        one("float32", 0.1),
        one("uint8", 1),
      ],
    },
  ],
  QLinearConv: [
    {
      note: "padded",
      inputs: [
        bytes("uint8", 1, 2, 5, 5),
        one("float32", 0.1),
        one("uint8", 1),
        { ...bytes("uint8", 3, 2, 3, 3), fixed: true },
        one("float32", 0.1),
        one("uint8", 1),
        one("float32", 0.1),
        one("uint8", 1),
      ],
      attributes: { pads: [1, 1, 1, 1] },
    },
  ],
};
