/** @file How far numbers may be from those of ONNX's tests. */

/** Allowed difference of numbers with a fraction: `absolute + relative * |expected|`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
  /** True where the model draws random numbers: only types and sizes are compared. */
  readonly random: boolean;
}

// ONNX's own runner allows a relative 1e-3 and an absolute 1e-7. The absolute part is larger here, since sums near 0 lose
// their digits; the relative part smaller, but for the data that is written with few digits.
const usual: Tolerance = { relative: 1e-4, absolute: 1e-5, random: false };
const exceptions: readonly (readonly [RegExp, Partial<Tolerance>])[] = [
  [/test_bernoulli|test_training_dropout/, { random: true }],
  // windows are computed with 3.1415 for pi; the others are printed with four digits
  [/test_(blackman|hamming|hann)window|test_roialign|test_gridsample_bicubic/, { relative: 1e-3 }],
  // sums of up to 128 products that cancel
  [/test_dft|test_stft/, { absolute: 2e-4 }],
];

/** The tolerance of a model. */
export const toleranceOf = (name: string): Tolerance =>
  Object.assign({}, usual, ...exceptions.filter(([pattern]) => pattern.test(name)).map(([, other]) => other));
