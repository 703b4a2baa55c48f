/** @file storage: what projects keep, metered by the hour. Rules: README.md. */
export { createStorage, type Keeper, type Storage, type StorageParts } from "./storage.ts";
