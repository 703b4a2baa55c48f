/** @file Registers every layer of this package by the name that specs use. A new one is a file and a line here. */

import { additiveAttentionKind } from "./attention/additive-attention.ts";
import { attentionKind } from "./attention/attention.ts";
import { groupedQueryAttentionKind } from "./attention/grouped-query-attention.ts";
import { multiHeadAttentionKind } from "./attention/multi-head-attention.ts";
import { rotaryPositionsKind } from "./attention/rotary-positions.ts";
import { conv1dKind, conv2dKind, conv3dKind } from "./convolution/conv.ts";
import { conv1dTransposeKind, conv2dTransposeKind, conv3dTransposeKind } from "./convolution/conv-transpose.ts";
import {
  depthwiseConv1dKind,
  depthwiseConv2dKind,
  separableConv1dKind,
  separableConv2dKind,
} from "./convolution/depthwise-conv.ts";
import { activationKind } from "./core/activation.ts";
import { denseKind } from "./core/dense.ts";
import { eluKind } from "./core/elu.ts";
import { flattenKind } from "./core/flatten.ts";
import { identityKind } from "./core/identity.ts";
import { inputLayerKind } from "./core/input-layer.ts";
import { leakyReluKind } from "./core/leaky-relu.ts";
import { maskingKind } from "./core/masking.ts";
import { permuteKind } from "./core/permute.ts";
import { preluKind } from "./core/prelu.ts";
import { reluKind } from "./core/relu.ts";
import { repeatVectorKind } from "./core/repeat-vector.ts";
import { rescalingKind } from "./core/rescaling.ts";
import { reshapeKind } from "./core/reshape.ts";
import { softmaxKind } from "./core/softmax.ts";
import type { LayerKind } from "./define-layer.ts";
import { embeddingKind } from "./embedding/embedding.ts";
import { learnedPositionsKind } from "./embedding/learned-positions.ts";
import { positionEmbeddingKind } from "./embedding/position-embedding.ts";
import { reversibleEmbeddingKind } from "./embedding/reversible-embedding.ts";
import { sinePositionEncodingKind } from "./embedding/sine-position-encoding.ts";
import { sinusoidalPositionsKind } from "./embedding/sinusoidal-positions.ts";
import { tokenAndPositionEmbeddingKind } from "./embedding/token-and-position-embedding.ts";
import {
  cropping1dKind,
  cropping2dKind,
  cropping3dKind,
  zeroPadding1dKind,
  zeroPadding2dKind,
  zeroPadding3dKind,
} from "./image/margins.ts";
import { resizingKind, upSampling1dKind, upSampling2dKind, upSampling3dKind } from "./image/up-sampling.ts";
import { addKind } from "./merge/add.ts";
import { averageKind } from "./merge/average.ts";
import { concatenateKind } from "./merge/concatenate.ts";
import { dotKind } from "./merge/dot.ts";
import { maximumKind } from "./merge/maximum.ts";
import { minimumKind } from "./merge/minimum.ts";
import { multiplyKind } from "./merge/multiply.ts";
import { subtractKind } from "./merge/subtract.ts";
import { activityRegularizationKind } from "./noise/activity-regularization.ts";
import { alphaDropoutKind } from "./noise/alpha-dropout.ts";
import { dropoutKind } from "./noise/dropout.ts";
import { gaussianDropoutKind } from "./noise/gaussian-dropout.ts";
import { gaussianNoiseKind } from "./noise/gaussian-noise.ts";
import { spatialDropout1dKind, spatialDropout2dKind, spatialDropout3dKind } from "./noise/spatial-dropout.ts";
import { batchNormalizationKind } from "./normalization/batch-normalization.ts";
import { groupNormalizationKind } from "./normalization/group-normalization.ts";
import { layerNormalizationKind } from "./normalization/layer-normalization.ts";
import { rmsNormalizationKind } from "./normalization/rms-normalization.ts";
import { unitNormalizationKind } from "./normalization/unit-normalization.ts";
import { averagePooling1dKind, averagePooling2dKind, averagePooling3dKind } from "./pooling/average-pooling.ts";
import {
  globalAveragePooling1dKind,
  globalAveragePooling2dKind,
  globalAveragePooling3dKind,
  globalMaxPooling1dKind,
  globalMaxPooling2dKind,
  globalMaxPooling3dKind,
} from "./pooling/global-pooling.ts";
import { maxPooling1dKind, maxPooling2dKind, maxPooling3dKind } from "./pooling/max-pooling.ts";
import { bidirectionalKind } from "./recurrent/bidirectional.ts";
import { gruKind } from "./recurrent/gru.ts";
import { lstmKind } from "./recurrent/lstm.ts";
import { simpleRnnKind } from "./recurrent/simple-rnn.ts";
import { timeDistributedKind } from "./recurrent/time-distributed.ts";
import { registeredLayers, registerLayer } from "./registry.ts";
import { llamaDecoderKind } from "./transformer/llama-decoder.ts";
import { swiGluKind } from "./transformer/swi-glu.ts";
import { transformerKind } from "./transformer/transformer.ts";
import { transformerDecoderKind } from "./transformer/transformer-decoder.ts";
import { transformerEncoderKind } from "./transformer/transformer-encoder.ts";

const kinds: readonly LayerKind[] = [
  inputLayerKind,
  denseKind,
  conv1dKind,
  conv2dKind,
  conv3dKind,
  depthwiseConv1dKind,
  depthwiseConv2dKind,
  separableConv1dKind,
  separableConv2dKind,
  conv1dTransposeKind,
  conv2dTransposeKind,
  conv3dTransposeKind,
  maxPooling1dKind,
  maxPooling2dKind,
  maxPooling3dKind,
  averagePooling1dKind,
  averagePooling2dKind,
  averagePooling3dKind,
  globalMaxPooling1dKind,
  globalMaxPooling2dKind,
  globalMaxPooling3dKind,
  globalAveragePooling1dKind,
  globalAveragePooling2dKind,
  globalAveragePooling3dKind,
  upSampling1dKind,
  upSampling2dKind,
  upSampling3dKind,
  resizingKind,
  zeroPadding1dKind,
  zeroPadding2dKind,
  zeroPadding3dKind,
  cropping1dKind,
  cropping2dKind,
  cropping3dKind,
  flattenKind,
  dropoutKind,
  activationKind,
  simpleRnnKind,
  lstmKind,
  gruKind,
  bidirectionalKind,
  timeDistributedKind,
  reshapeKind,
  permuteKind,
  repeatVectorKind,
  maskingKind,
  identityKind,
  rescalingKind,
  reluKind,
  leakyReluKind,
  eluKind,
  preluKind,
  softmaxKind,
  addKind,
  subtractKind,
  multiplyKind,
  averageKind,
  maximumKind,
  minimumKind,
  concatenateKind,
  dotKind,
  batchNormalizationKind,
  layerNormalizationKind,
  rmsNormalizationKind,
  groupNormalizationKind,
  unitNormalizationKind,
  embeddingKind,
  reversibleEmbeddingKind,
  sinusoidalPositionsKind,
  sinePositionEncodingKind,
  learnedPositionsKind,
  positionEmbeddingKind,
  tokenAndPositionEmbeddingKind,
  multiHeadAttentionKind,
  groupedQueryAttentionKind,
  rotaryPositionsKind,
  transformerEncoderKind,
  transformerDecoderKind,
  swiGluKind,
  llamaDecoderKind,
  transformerKind,
  gaussianNoiseKind,
  gaussianDropoutKind,
  alphaDropoutKind,
  spatialDropout1dKind,
  spatialDropout2dKind,
  spatialDropout3dKind,
  activityRegularizationKind,
  attentionKind,
  additiveAttentionKind,
];
for (const kind of kinds) registerLayer(kind);

/** Every layer that specs know: those of this package, and those that users have registered. */
export const layerKinds = registeredLayers();
