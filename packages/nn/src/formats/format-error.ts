import { NnError } from "../errors.ts";

/** Bytes that break the rules of a file format, or values that the format cannot hold. */
export class FileFormatError extends NnError {
  override readonly name = "FileFormatError";
  /** The file, the key or the tensor at fault: `safetensors, tensor "a"`. */
  readonly where: string;

  constructor(where: string, message: string, options?: ErrorOptions) {
    super(`${where}: ${message}`, options);
    this.where = where;
  }
}
