/** @file One of the sequences that a context runs at once, and what it has read. */
import type { NativeContext } from "./native.ts";
import type { TokenTask } from "./token-task.ts";

/** A sequence of the context; between requests it keeps what it has read, for the next one that begins alike. */
export class Slot {
  readonly id: number;
  task: TokenTask | undefined;
  /** Where the logits of this step lie in the batch. */
  logitsAt = -1;
  readonly #context: NativeContext;
  readonly #tokens: Uint32Array;
  readonly #logitIndex = new Uint32Array(1);
  readonly #windowSize: number | undefined;
  #read = 0;
  #length = 0;

  /** @param windowSize tokens that layers with sliding attention look back. */
  constructor(id: number, context: NativeContext, contextLength: number, windowSize: number | undefined) {
    this.id = id;
    this.#context = context;
    this.#tokens = new Uint32Array(contextLength);
    this.#windowSize = windowSize;
  }

  /** Tokens that the model has read. */
  get held(): Uint32Array {
    return this.#tokens.subarray(0, this.#read);
  }

  /** Tokens of the task that the model has not read. */
  get unread(): number {
    return this.#length - this.#read;
  }

  /** There is room for a row that is thrown away. */
  get canPad(): boolean {
    return this.task === undefined && this.#read < this.#tokens.length;
  }

  /** Takes a task; what was read of its beginning stays. @param common of its prompt. */
  begin(task: TokenTask, common: number): void {
    // At least one token has to be read for there to be logits.
    const kept = this.#keep(Math.min(common, task.prompt.length - 1));
    this.task = task;
    this.#tokens.set(task.prompt);
    this.#length = task.prompt.length;
    task.isAdmitted(kept);
  }

  /** Ends the task. What it has read stays, what it has not is forgotten. */
  end(): void {
    this.task?.release();
    this.task = undefined;
    this.#length = this.#read;
  }

  /** Forgets everything, when it is not known what the model has read. */
  clear(): void {
    this.end();
    this.#context.disposeSequence(this.id);
    this.#read = 0;
    this.#length = 0;
  }

  /** Puts its next tokens into the batch. */
  addTo(context: NativeContext, count: number): void {
    const tokens = this.#tokens.subarray(this.#read, this.#read + count);
    const isLast = count === this.unread;
    this.#logitIndex[0] = count - 1;
    const at = context.addToBatch(this.id, this.#read, tokens, isLast ? this.#logitIndex : noLogits);
    this.logitsAt = isLast ? (at[0] ?? -1) : -1;
    this.#read += count;
  }

  /** Puts a row into the batch that `removePadding` takes out of the model's memory again. */
  addPadding(context: NativeContext): void {
    context.addToBatch(this.id, this.#read, paddingToken, noLogits);
  }

  removePadding(context: NativeContext): void {
    context.removeTokenCellsFromSequence(this.id, this.#read, -1);
  }

  /** Takes the token that was chosen. */
  append(token: number): void {
    this.#tokens[this.#length] = token;
    this.#length++;
  }

  #keep(length: number): number {
    if (length >= this.#read) return this.#read;
    const oldest = this.#context.getSequenceKvCacheMinPosition(this.id);
    const isWhole = oldest <= Math.max(0, length - (this.#windowSize ?? 0));
    const isCut = length > 0 && isWhole && this.#context.removeTokenCellsFromSequence(this.id, length, -1);
    if (!isCut) this.#context.disposeSequence(this.id);
    this.#read = isCut ? length : 0;
    this.#length = this.#read;
    return this.#read;
  }
}

const noLogits = new Uint32Array(0);
const paddingToken = new Uint32Array(1);
