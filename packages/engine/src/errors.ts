/** @file What goes wrong in front of a model and in it. */

/** A failure of an engine or of the queue before it. */
export class EngineError extends Error {
  override readonly name: string = "EngineError";
}

/** Inputs that the model cannot take. The fault is the caller's, and is told before anything runs. */
export class EngineInputError extends EngineError {
  override readonly name = "EngineInputError";
  /** The input or output that is at fault. */
  readonly tensor: string;
  readonly expected: string;
  readonly received: string;

  constructor(tensor: string, expected: string, received: string) {
    super(`tensor "${tensor}": expected ${expected}, received ${received}`);
    this.tensor = tensor;
    this.expected = expected;
    this.received = received;
  }
}

/** The queue is at its bound: later is better than deeper. */
export class QueueFullError extends EngineError {
  override readonly name = "QueueFullError";

  constructor(limit: number) {
    super(`${limit} requests are waiting already; the queue takes no more`);
  }
}

/** The engine was closed before the request's turn came. */
export class EngineClosedError extends EngineError {
  override readonly name = "EngineClosedError";

  constructor() {
    super("the engine is closed");
  }
}

/** The engine refused to load or to run a model; the message is its own. */
export class EngineRunError extends EngineError {
  override readonly name = "EngineRunError";
}

/** A request that a language model cannot take. The fault is the caller's, and is told before anything runs. */
export class EngineRequestError extends EngineError {
  override readonly name: string = "EngineRequestError";
  /** Where in the request: "messages[2].content", "constraint.schema.properties.age". */
  readonly field: string;

  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}

/** Prompt and answer do not fit into the model's context. Nothing is cut off. */
export class ContextLengthError extends EngineRequestError {
  override readonly name = "ContextLengthError";
  readonly promptTokens: number;
  /** Tokens that the answer was allowed; undefined: as many as there is room for. */
  readonly maxTokens: number | undefined;
  readonly contextLength: number;

  constructor(promptTokens: number, maxTokens: number | undefined, contextLength: number) {
    const asked = maxTokens === undefined ? "" : ` and ${maxTokens} for the answer`;
    super("prompt", `expected at most ${contextLength} tokens with the answer, received ${promptTokens}${asked}`);
    this.promptTokens = promptTokens;
    this.maxTokens = maxTokens;
    this.contextLength = contextLength;
  }
}
