/** @file What the composition root needs of each feature. */
import type { Route } from "./http/route.ts";
import type { NewId } from "./ids.ts";

/** A feature's running side. `start` resumes what a killed process left; `stop` drains by the deadline. */
export interface Feature {
  readonly routes: readonly Route[];
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** Effects that every feature gets by its constructor. */
export interface Ground {
  /** Milliseconds are enough; prices use the database's clock. */
  readonly now: () => Date;
  readonly newId: NewId;
  readonly log: Log;
}

/** Structured log lines; never secrets. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
