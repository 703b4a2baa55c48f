/** @file Where Keras has another name than ours in its own spelling, or none. All other names differ in spelling alone. */

/** By table and name: Keras' name, or null where Keras has nothing of this kind. */
const differing: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  layers: {
    groupedQueryAttention: "GroupQueryAttention",
    transformerEncoder: "KerasHub's TransformerEncoder",
    transformerDecoder: "KerasHub's TransformerDecoder",
    tokenAndPositionEmbedding: "KerasHub's TokenAndPositionEmbedding",
    positionEmbedding: "KerasHub's PositionEmbedding",
    sinePositionEncoding: "KerasHub's SinePositionEncoding",
    rotaryPositions: "KerasHub's RotaryEmbedding",
    learnedPositions: null,
    sinusoidalPositions: null,
    swiGlu: null,
    llamaDecoder: null,
    transformer: null,
    lora: "enable_lora",
    onnx: null,
    quantizationAware: null,
    model: "a Model",
  },
  metrics: {
    accuracy: '"accuracy"',
    confusionMatrix: null,
    perplexity: "KerasHub's Perplexity",
    fBetaScore: "FBetaScore",
  },
  losses: { logCosh: "LogCosh" },
  optimizers: {},
  schedules: {
    stepDecay: "PyTorch's StepLR",
    oneCycle: "PyTorch's OneCycleLR",
    inverseSquareRoot: null,
    warmup: null,
  },
  initializers: { unitForgetBias: "unit_forget_bias of LSTM" },
  regularizers: {},
  activations: {},
};

/** What stands behind a name: nothing where Keras has the same. */
export function kerasName(table: string, name: string): string {
  const other = differing[table]?.[name];
  if (other === undefined) return "";
  if (other === null) return " (ours)";
  return other.toLowerCase() === name.toLowerCase() ? "" : ` (${/'s |^a |^"/.test(other) ? "" : "Keras: "}${other})`;
}
