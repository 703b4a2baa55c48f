/** @file Who sends events. */
import type { Caller } from "../http/index.ts";

/** The project that an event is counted for, and the key that it came with. */
export type Sender = Pick<Caller, "projectId" | "keyId">;
