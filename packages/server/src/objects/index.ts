/** @file objects: bytes by their sha256. Rules [OBJ…] are in README.md; every store passes testing/describe-object-store.ts. */
export { type FileObjectStoreOptions, fileObjectStore } from "./file-object-store.ts";
export { lockObject, releaseObject } from "./object-lock.ts";
export type { ObjectStore, StoredObject } from "./object-store.ts";
