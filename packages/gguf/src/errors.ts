/** @file What goes wrong with GGUF, in one class with codes that stay. */

/**
 * Why a file is refused: `not_gguf` it begins with something else; `unsupported` a version, byte order or tensor type that
 * is not read; `cut_off` it ends too early; `malformed` it breaks a rule of the format; `limit` it asks for more than the
 * caller allows. `unwritable`: values that no file can hold.
 */
export type GgufErrorCode =
  | "gguf.not_gguf"
  | "gguf.unsupported"
  | "gguf.cut_off"
  | "gguf.malformed"
  | "gguf.limit"
  | "gguf.unwritable";

/** A file that no reader could use, or contents that no file can hold. */
export class GgufError extends Error {
  override readonly name = "GgufError";
  readonly code: GgufErrorCode;
  /** The key or the tensor at fault: `GGUF, tensor "a"`. */
  readonly where: string;
  /** What was expected and received. */
  readonly problem: string;

  constructor(code: GgufErrorCode, where: string, problem: string, options?: ErrorOptions) {
    super(`${where}: ${problem}`, options);
    this.code = code;
    this.where = where;
    this.problem = problem;
  }
}

/** A received value, short enough for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return String(value); // NaN and Infinity too, which JSON writes as null
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
