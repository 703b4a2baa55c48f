/**
 * @file nn: deep networks in TypeScript, compiled to ONNX. Read in this order: model/sequential, layers/layer, compile/plan,
 * compile/training-program, autodiff/gradients, training/fit.
 */
export { type ActivationOption, type ActivationSpec, activate } from "./activations/field.ts";
export { type ActivationName, activations } from "./activations/table.ts";
export { GradientError } from "./autodiff/gradient-error.ts";
export { curves } from "./callbacks/curves.ts";
export { type EarlyStoppingOptions, earlyStopping } from "./callbacks/early-stopping.ts";
export { csvLogger, jsonlLogger, type LogOptions } from "./callbacks/log-files.ts";
export { type ModelCheckpointOptions, modelCheckpoint } from "./callbacks/model-checkpoint.ts";
export type { MonitorOptions } from "./callbacks/monitor.ts";
export { progressBar, type Terminal } from "./callbacks/progress-bar.ts";
export {
  learningRateByEpoch,
  type PlateauOptions,
  reduceLearningRateOnPlateau,
} from "./callbacks/reduce-on-plateau.ts";
export { type TensorBoardOptions, tensorBoard } from "./callbacks/tensor-board.ts";
export { CheckpointError, DataError, NnError, NonFiniteLossError, type Problem, SpecError } from "./errors.ts";
export * from "./export/index.ts";
export * from "./formats/index.ts";
export { adapterWeights, mergeAdapters } from "./imported/adapters.ts";
export { type LoraOptions, lora } from "./imported/lora.ts";
export { type OnnxLayerOptions, onnxInputs, onnxLayer } from "./imported/onnx-layer.ts";
export type { InitializerOption } from "./initializers/field.ts";
export { type InitializerName, initializers } from "./initializers/table.ts";
export { additiveAttention } from "./layers/attention/additive-attention.ts";
export { type AttentionOptions, attention } from "./layers/attention/attention.ts";
export { groupedQueryAttention } from "./layers/attention/grouped-query-attention.ts";
export { type MultiHeadAttentionOptions, multiHeadAttention } from "./layers/attention/multi-head-attention.ts";
export { rotaryPositions } from "./layers/attention/rotary-positions.ts";
export { type ConvOptions, conv1d, conv2d, conv3d } from "./layers/convolution/conv.ts";
export {
  type ConvTransposeOptions,
  conv1dTranspose,
  conv2dTranspose,
  conv3dTranspose,
} from "./layers/convolution/conv-transpose.ts";
export {
  type DepthwiseConvOptions,
  depthwiseConv1d,
  depthwiseConv2d,
  type SeparableConvOptions,
  separableConv1d,
  separableConv2d,
} from "./layers/convolution/depthwise-conv.ts";
export { activation } from "./layers/core/activation.ts";
export { type DenseOptions, dense } from "./layers/core/dense.ts";
export { elu } from "./layers/core/elu.ts";
export { flatten } from "./layers/core/flatten.ts";
export { identity } from "./layers/core/identity.ts";
export { inputLayer } from "./layers/core/input-layer.ts";
export { leakyRelu } from "./layers/core/leaky-relu.ts";
export { masking } from "./layers/core/masking.ts";
export { permute } from "./layers/core/permute.ts";
export { type PreluOptions, prelu } from "./layers/core/prelu.ts";
export { type ReluOptions, relu } from "./layers/core/relu.ts";
export { repeatVector } from "./layers/core/repeat-vector.ts";
export { rescaling } from "./layers/core/rescaling.ts";
export { reshape } from "./layers/core/reshape.ts";
export { softmax } from "./layers/core/softmax.ts";
export { type DefinedLayer, defineLayer, defineManyLayer, type LayerKind } from "./layers/define-layer.ts";
export { type EmbeddingOptions, embedding } from "./layers/embedding/embedding.ts";
export { learnedPositions, type PositionOptions } from "./layers/embedding/learned-positions.ts";
export { positionEmbedding } from "./layers/embedding/position-embedding.ts";
export { reversibleEmbedding } from "./layers/embedding/reversible-embedding.ts";
export { sinePositionEncoding } from "./layers/embedding/sine-position-encoding.ts";
export { sinusoidalPositions } from "./layers/embedding/sinusoidal-positions.ts";
export {
  type TokenAndPositionEmbeddingOptions,
  tokenAndPositionEmbedding,
} from "./layers/embedding/token-and-position-embedding.ts";
export { type Features, plain, toChannelsFirst, toPlain } from "./layers/features.ts";
export * as fields from "./layers/fields.ts";
export {
  cropping1d,
  cropping2d,
  cropping3d,
  type Margins,
  zeroPadding1d,
  zeroPadding2d,
  zeroPadding3d,
} from "./layers/image/margins.ts";
export {
  resizing,
  type UpSampling2dOptions,
  upSampling1d,
  upSampling2d,
  upSampling3d,
} from "./layers/image/up-sampling.ts";
export type { CommonOptions, Layer, LayerScope, LayerSpec, Parameter } from "./layers/layer.ts";
export { add } from "./layers/merge/add.ts";
export { average } from "./layers/merge/average.ts";
export { concatenate } from "./layers/merge/concatenate.ts";
export { type DotOptions, dot } from "./layers/merge/dot.ts";
export { maximum } from "./layers/merge/maximum.ts";
export { minimum } from "./layers/merge/minimum.ts";
export { multiply } from "./layers/merge/multiply.ts";
export { subtract } from "./layers/merge/subtract.ts";
export { defineComposite } from "./layers/network-layer.ts";
export { type ActivityRegularizationOptions, activityRegularization } from "./layers/noise/activity-regularization.ts";
export { alphaDropout } from "./layers/noise/alpha-dropout.ts";
export { dropout } from "./layers/noise/dropout.ts";
export { gaussianDropout } from "./layers/noise/gaussian-dropout.ts";
export { gaussianNoise } from "./layers/noise/gaussian-noise.ts";
export { spatialDropout1d, spatialDropout2d, spatialDropout3d } from "./layers/noise/spatial-dropout.ts";
export { type BatchNormalizationOptions, batchNormalization } from "./layers/normalization/batch-normalization.ts";
export { type GroupNormalizationOptions, groupNormalization } from "./layers/normalization/group-normalization.ts";
export { type LayerNormalizationOptions, layerNormalization } from "./layers/normalization/layer-normalization.ts";
export { type RmsNormalizationOptions, rmsNormalization } from "./layers/normalization/rms-normalization.ts";
export { type UnitNormalizationOptions, unitNormalization } from "./layers/normalization/unit-normalization.ts";
export { averagePooling1d, averagePooling2d, averagePooling3d } from "./layers/pooling/average-pooling.ts";
export {
  type GlobalPoolingOptions,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalAveragePooling3d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalMaxPooling3d,
} from "./layers/pooling/global-pooling.ts";
export { maxPooling1d, maxPooling2d, maxPooling3d } from "./layers/pooling/max-pooling.ts";
export type { PoolingOptions } from "./layers/pooling/pool.ts";
export { type BidirectionalOptions, bidirectional, type MergeMode } from "./layers/recurrent/bidirectional.ts";
export type { Cell, CellState, CellStep } from "./layers/recurrent/cell.ts";
export { defineRecurrent } from "./layers/recurrent/define-recurrent.ts";
export { type GruOptions, gru } from "./layers/recurrent/gru.ts";
export { type LstmOptions, lstm } from "./layers/recurrent/lstm.ts";
export type { RecurrentOptions, WalkOptions } from "./layers/recurrent/settings.ts";
export { simpleRnn } from "./layers/recurrent/simple-rnn.ts";
export { timeDistributed } from "./layers/recurrent/time-distributed.ts";
export { registerLayer } from "./layers/registry.ts";
export type { SampleShape, Size } from "./layers/shape.ts";
export { type LlamaDecoderOptions, llamaDecoder } from "./layers/transformer/llama-decoder.ts";
export { type SwiGluOptions, swiGlu } from "./layers/transformer/swi-glu.ts";
export { type TransformerOptions, transformer } from "./layers/transformer/transformer.ts";
export { transformerDecoder } from "./layers/transformer/transformer-decoder.ts";
export { type TransformerEncoderOptions, transformerEncoder } from "./layers/transformer/transformer-encoder.ts";
export { type LossName, losses } from "./losses/table.ts";
export { type MetricName, metrics } from "./metrics/table.ts";
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
export { type OptimizerName, optimizers } from "./optimizers/table.ts";
export * from "./pictures/index.ts";
export type { AnswerDifference, Comparison } from "./quantization/compare.ts";
export { type QuantizationAwareOptions, quantizationAware } from "./quantization/quantization-aware.ts";
export {
  type QuantizationMode,
  type QuantizationOptions,
  type QuantizationReport,
  type QuantizedModel,
  quantize,
  type SizeChange,
} from "./quantization/quantize.ts";
export { quantizationText } from "./quantization/report-text.ts";
export type { RegularizerOption } from "./regularizers/field.ts";
export { l1, l1L2, l2 } from "./regularizers/norms.ts";
export { type RegularizerName, regularizers } from "./regularizers/table.ts";
export { cosineDecay, cosineDecayRestarts, inverseSquareRoot, oneCycle } from "./schedules/cosine.ts";
export {
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  stepDecay,
} from "./schedules/decays.ts";
export type { Schedule } from "./schedules/schedule.ts";
export { type Rate, type ScheduleName, schedules, warmup } from "./schedules/table.ts";
export type { ConfigOf, Field, Fields, Json } from "./schema/field.ts";
export type { KindSpec, Made } from "./schema/kind.ts";
export { type CompileOptions, type CompileSpec, parseCompileSpec } from "./spec/compile-spec.ts";
export type { FunctionalSpec, GraphLayerSpec, ValueRef } from "./spec/functional-spec.ts";
export { type ModelSizes, modelSizes } from "./spec/model-sizes.ts";
export { isSequentialSpec, type ModelSpec, parseSpec, type SequentialSpec } from "./spec/model-spec.ts";
export { subModel } from "./spec/sub-model.ts";
export { type BeamSearchOptions, ctcBeamSearch, type Spelling } from "./text/ctc-beam-search.ts";
export { ctcGreedyDecode } from "./text/ctc-greedy.ts";
export type { CtcReading, CtcScores } from "./text/ctc-scores.ts";
export { characterErrorRate, editDistance, wordErrorRate } from "./text/edit-distance.ts";
export { type BucketOptions, type Buckets, bucketByLength, type SequenceData } from "./training/buckets.ts";
export type { ClassWeight } from "./training/class-weight.ts";
export type { Callback, TrainingControl } from "./training/control.ts";
export type { BatchStream, StreamBatch } from "./training/feed.ts";
export type { EpochResult, History, Progress, Scores } from "./training/history.ts";
export { type PadOptions, padSequences, type Sequence } from "./training/sequences.ts";
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
