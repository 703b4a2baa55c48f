/** @file contract: what crosses the wire, and the words for it. Read in this order: errors, ids, scopes, api. */
export * from "./api/common.ts";
export * from "./api/datasets.ts";
export * from "./api/deployments.ts";
export * from "./api/identity.ts";
export * from "./api/inference-protocol.ts";
export * from "./api/models.ts";
export * from "./api/runs.ts";
export * from "./api/services.ts";
export * from "./api/sign-in.ts";
export * from "./api/usage.ts";
export * from "./audit-actions.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./scopes.ts";
