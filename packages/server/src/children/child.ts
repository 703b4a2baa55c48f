/** @file Child processes that run native code for us: replicas and training workers. */

/** What a child may touch. Everything else is refused by Node's permission model and an allow-list environment. */
export interface ChildOptions {
  /** For logs and leftover records: "replica rpl_…". */
  readonly name: string;
  /** The module to run: an absolute path inside this package. */
  readonly entry: string;
  /** Files and folders of its own data; the code's folders are added. */
  readonly readPaths: readonly string[];
  readonly writePaths: readonly string[];
  /** Scheduling priority: 0 normal, 10 for training beside traffic. */
  readonly nice?: number;
  /** Sent first, as a message, once the child listens. */
  readonly start: unknown;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its standard error, at most 4 kB, for messages to people. */
  readonly lastLines: string;
}

/** A running child. Messages are structured clones: typed arrays travel as they are. */
export interface Child {
  readonly pid: number;
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Resolves once, when the process is gone. */
  readonly exited: Promise<ChildExit>;
  /** Asks (disconnects its channel: it must exit), then kills after `graceMs` (default 2000). Resolves when it is gone. */
  stop(graceMs?: number): Promise<ChildExit>;
}

/** Starts children and ends those that a killed main left behind. */
export interface Children {
  start(options: ChildOptions): Promise<Child>;
  /** Ends leftovers by recorded pid and start time; called once at start. */
  endLeftovers(): Promise<number>;
  /** Stops all. */
  stop(): Promise<void>;
}
