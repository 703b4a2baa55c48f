/**
 * @file nn: deep networks in TypeScript, compiled to ONNX. Read in this order: model/sequential, layers/layer, compile/plan,
 * compile/training-program, autodiff/gradients, training/fit.
 */
export type { ActivationSpec } from "./activations/field.ts";
export type { ActivationName } from "./activations/table.ts";
export { CheckpointError, DataError, NnError, NonFiniteLossError, type Problem, SpecError } from "./errors.ts";
export { activation } from "./layers/activation.ts";
export { averagePooling2d } from "./layers/average-pooling2d.ts";
export { type Conv2dOptions, conv2d } from "./layers/conv2d.ts";
export { type DefinedLayer, defineLayer, defineManyLayer, type LayerKind } from "./layers/define-layer.ts";
export { type DenseOptions, dense } from "./layers/dense.ts";
export { dropout } from "./layers/dropout.ts";
export { type Features, plain, toChannelsFirst, toPlain } from "./layers/features.ts";
export { flatten } from "./layers/flatten.ts";
export { inputLayer } from "./layers/input-layer.ts";
export type { CommonOptions, Layer, LayerScope, LayerSpec, Parameter } from "./layers/layer.ts";
export { maxPooling2d } from "./layers/max-pooling2d.ts";
export { defineComposite } from "./layers/network-layer.ts";
export type { Pooling2dOptions } from "./layers/pooling2d.ts";
export { registerLayer } from "./layers/registry.ts";
export type { SampleShape, Size } from "./layers/shape.ts";
export type { LossName } from "./losses/table.ts";
export type { MetricName } from "./metrics/table.ts";
export { Model, type ModelEnds, type ModelOptions } from "./model/model.ts";
export type { EvaluateOptions, FitOptions, PredictOptions } from "./model/options.ts";
export { Sequential, type SequentialOptions } from "./model/sequential.ts";
export type { LayerSummary } from "./model/summary.ts";
export type { NamedWeight } from "./model/weights.ts";
export { input, type SymbolicTensor } from "./network/symbolic.ts";
export { type AdadeltaSettings, adadelta } from "./optimizers/adadelta.ts";
export { type AdafactorSettings, adafactor } from "./optimizers/adafactor.ts";
export { type AdagradSettings, adagrad } from "./optimizers/adagrad.ts";
export { type AdamSettings, adam, adamw } from "./optimizers/adam.ts";
export { type AdamaxSettings, adamax } from "./optimizers/adamax.ts";
export type { OptimizerSettings } from "./optimizers/define-optimizer.ts";
export { type LionSettings, lion } from "./optimizers/lion.ts";
export { type NadamSettings, nadam } from "./optimizers/nadam.ts";
export type { Optimizer } from "./optimizers/optimizer.ts";
export { type RmspropSettings, rmsprop } from "./optimizers/rmsprop.ts";
export { type SgdSettings, sgd } from "./optimizers/sgd.ts";
export type { OptimizerName } from "./optimizers/table.ts";
export { l1, l1L2, l2 } from "./regularizers/norms.ts";
export type { RegularizerName } from "./regularizers/table.ts";
export { cosineDecay, cosineDecayRestarts, inverseSquareRoot, oneCycle } from "./schedules/cosine.ts";
export {
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  stepDecay,
} from "./schedules/decays.ts";
export type { Schedule } from "./schedules/schedule.ts";
export { type Rate, type ScheduleName, warmup } from "./schedules/table.ts";
export type { KindSpec } from "./schema/kind.ts";
export { type CompileOptions, type CompileSpec, parseCompileSpec } from "./spec/compile-spec.ts";
export type { FunctionalSpec, GraphLayerSpec, ValueRef } from "./spec/functional-spec.ts";
export { type ModelSizes, modelSizes } from "./spec/model-sizes.ts";
export { isSequentialSpec, type ModelSpec, parseSpec, type SequentialSpec } from "./spec/model-spec.ts";
export { subModel } from "./spec/sub-model.ts";
export type { BatchStream, StreamBatch } from "./training/feed.ts";
export type { EpochResult, History, Progress, Scores } from "./training/history.ts";
export type {
  Batch,
  Column,
  LabelledData,
  NamedSamples,
  NestedNumbers,
  SampleArray,
  Samples,
  Source,
  Table,
  TargetArray,
} from "./training/source.ts";
