/** @file Registers every layer of this package by the name that specs use. A new one is a file and a line here. */
import { activationKind } from "./activation.ts";
import { groupedQueryAttentionKind } from "./attention/grouped-query-attention.ts";
import { multiHeadAttentionKind } from "./attention/multi-head-attention.ts";
import { rotaryPositionsKind } from "./attention/rotary-positions.ts";
import { averagePooling2dKind } from "./average-pooling2d.ts";
import { conv2dKind } from "./conv2d.ts";
import { eluKind } from "./core/elu.ts";
import { identityKind } from "./core/identity.ts";
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
import { denseKind } from "./dense.ts";
import { dropoutKind } from "./dropout.ts";
import { embeddingKind } from "./embedding/embedding.ts";
import { learnedPositionsKind } from "./embedding/learned-positions.ts";
import { positionEmbeddingKind } from "./embedding/position-embedding.ts";
import { reversibleEmbeddingKind } from "./embedding/reversible-embedding.ts";
import { sinePositionEncodingKind } from "./embedding/sine-position-encoding.ts";
import { sinusoidalPositionsKind } from "./embedding/sinusoidal-positions.ts";
import { tokenAndPositionEmbeddingKind } from "./embedding/token-and-position-embedding.ts";
import { flattenKind } from "./flatten.ts";
import { inputLayerKind } from "./input-layer.ts";
import { maxPooling2dKind } from "./max-pooling2d.ts";
import { addKind } from "./merge/add.ts";
import { averageKind } from "./merge/average.ts";
import { concatenateKind } from "./merge/concatenate.ts";
import { dotKind } from "./merge/dot.ts";
import { maximumKind } from "./merge/maximum.ts";
import { minimumKind } from "./merge/minimum.ts";
import { multiplyKind } from "./merge/multiply.ts";
import { subtractKind } from "./merge/subtract.ts";
import { batchNormalizationKind } from "./normalization/batch-normalization.ts";
import { groupNormalizationKind } from "./normalization/group-normalization.ts";
import { layerNormalizationKind } from "./normalization/layer-normalization.ts";
import { rmsNormalizationKind } from "./normalization/rms-normalization.ts";
import { unitNormalizationKind } from "./normalization/unit-normalization.ts";
import { bidirectionalKind } from "./recurrent/bidirectional.ts";
import { gruKind } from "./recurrent/gru.ts";
import { lstmKind } from "./recurrent/lstm.ts";
import { simpleRnnKind } from "./recurrent/simple-rnn.ts";
import { timeDistributedKind } from "./recurrent/time-distributed.ts";
import { registeredLayers, registerLayer } from "./registry.ts";

const kinds: readonly LayerKind[] = [
  inputLayerKind,
  denseKind,
  conv2dKind,
  maxPooling2dKind,
  averagePooling2dKind,
  flattenKind,
  dropoutKind,
  activationKind,
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
  simpleRnnKind,
  lstmKind,
  gruKind,
  bidirectionalKind,
  timeDistributedKind,
  multiHeadAttentionKind,
  groupedQueryAttentionKind,
  rotaryPositionsKind,
];
for (const kind of kinds) registerLayer(kind);

/** Every layer that specs know: those of this package, and those that users have registered. */
export const layerKinds = registeredLayers();
