/** @file sdk: typed client of the Gristmill API. Read in this order: client, http/transport, http/errors, resources. */
export { Gristmill, type PersonOptions } from "./client.ts";
export { type ClientErrorCode, GristmillError, hasCode } from "./http/errors.ts";
export { readLines } from "./http/lines.ts";
export type { Listing, ListOptions } from "./http/listing.ts";
export type { CallOptions, GristmillOptions, PostOptions, Retry, SessionCredentials } from "./http/transport.ts";
export type { TensorData } from "./inference/datatypes.ts";
export type { Inference, InferenceResult, NamedTensor } from "./inference/wire.ts";
export {
  type AuditExportOptions,
  type AuditLogOptions,
  type DeniedAccessOptions,
  type ExportBounds,
  verifyAuditExport,
} from "./resources/audit.ts";
export type { BudgetListOptions, NewBudget } from "./resources/budgets.ts";
export type { FileSource, SplitFiles } from "./resources/datasets.ts";
export type { EventListOptions, NewEvent } from "./resources/events.ts";
export type { LimitListOptions } from "./resources/limits.ts";
export type { InProject } from "./resources/members.ts";
export type { MeterQueryOptions, NewMeter } from "./resources/meters.ts";
export type { OrganizationUsageOptions } from "./resources/organizations.ts";
export type { WaitOptions } from "./resources/poll.ts";
export type { NewPrice } from "./resources/prices.ts";
export { isFinalEvent } from "./resources/run-events.ts";
export { type EventOptions, progressOf, type RunWaitOptions } from "./resources/runs.ts";
export type { ClassifyOptions, InferOptions } from "./resources/services.ts";
export type { UsageEventOptions, UsageExportOptions, UsageFormat, UsageOptions } from "./resources/usage.ts";
export { usageFormats } from "./resources/usage.ts";
