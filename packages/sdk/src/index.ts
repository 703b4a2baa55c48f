/** @file sdk: typed client of the Gristmill API. Read in this order: client, http/transport, http/errors, resources. */
export { Gristmill } from "./client.ts";
export { type ClientErrorCode, GristmillError, hasCode } from "./http/errors.ts";
export type { Listing, ListOptions } from "./http/listing.ts";
export type { CallOptions, GristmillOptions } from "./http/transport.ts";
export type { TensorData } from "./inference/datatypes.ts";
export type { Inference, InferenceResult, NamedTensor } from "./inference/wire.ts";
export type { FileSource, SplitFiles } from "./resources/datasets.ts";
export type { WaitOptions } from "./resources/poll.ts";
export { isFinalEvent } from "./resources/run-events.ts";
export { type EventOptions, progressOf, type RunWaitOptions } from "./resources/runs.ts";
export type { ClassifyOptions, InferOptions } from "./resources/services.ts";
export type { UsageEventOptions, UsageOptions } from "./resources/usage.ts";
