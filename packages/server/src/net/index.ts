/** @file net: the guarded way out to URLs that users give. It knows no feature. */
export { type CheckedFetch, createGuardedFetch, type GuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";
export { createGuardedPool, type GuardedPool, type GuardedPoolOptions } from "./guarded-pool.ts";
