/** @file engine: what executes models, and the queue before it. Read in this order: engine, check-inputs, onnx, batching. */
export { type BatchClock, type BatchedResult, Batcher, type BatcherOptions, systemClock } from "./batching/batcher.ts";
export { expectedCompany } from "./batching/policies/expected-company.ts";
export type { BatchPolicy, BatchSettings, Decision, QueueState, Waiting } from "./batching/policy.ts";
export type { ChatReader, ReadEnd, WrittenPiece } from "./chat/chat-reader.ts";
export { type PrepareChatOptions, type PreparedChat, prepareChat, readTemplate } from "./chat/prepared-chat.ts";
export type { Segment } from "./chat/special-text.ts";
export type { ChatTemplate, TemplateTokens } from "./chat/template.ts";
export type { Engine, EngineOptions, EngineStats, InferOptions, InferResult, LoadEngine, Signature } from "./engine.ts";
export {
  ContextLengthError,
  EngineClosedError,
  EngineError,
  EngineInputError,
  EngineRequestError,
  EngineRunError,
  QueueFullError,
} from "./errors.ts";
export { grammarOf } from "./grammar/grammar-of.ts";
export type * from "./language/answer.ts";
export type {
  LanguageCard,
  LanguageEngine,
  LanguageEngineOptions,
  LanguageLoad,
  LoadLanguageEngine,
} from "./language/language-engine.ts";
export type * from "./language/request.ts";
export { samplingDefaults } from "./language/sampling-defaults.ts";
export { loadLlamaEngine } from "./llama/load-llama-engine.ts";
export { type LlamaServerEngine, loadLlamaServer } from "./llama-server/llama-server-engine.ts";
export type { LlamaServerOptions } from "./llama-server/options.ts";
export { loadOnnxEngine } from "./onnx/onnx-engine.ts";
export { loadOnnxLanguageEngine } from "./onnx-language/load-onnx-language-engine.ts";
export type { UpstreamCard } from "./upstream/card.ts";
export type { DialectName } from "./upstream/dialects.ts";
export type {
  BreakerSettings,
  Credentials,
  RetrySettings,
  UpstreamFacts,
  UpstreamFetch,
  UpstreamOptions,
  UpstreamTimeouts,
} from "./upstream/options.ts";
export { routeUpstreams, type UpstreamRoute } from "./upstream/routing/route-upstreams.ts";
export { connectUpstream, type UpstreamEngine } from "./upstream/upstream-engine.ts";
