import { FileFormatError } from "./format-error.ts";

/** What a JSON text may ask for. */
export interface JsonLimits {
  /** Objects and lists inside each other. */
  readonly depth: number;
  /** Values altogether: each needs memory, however short it is written. */
  readonly values: number;
}

/**
 * Reads JSON from strangers: `JSON.parse` that refuses a key said twice in one object (of which JSON.parse silently takes
 * the last, and other readers the first), deep nesting, and more values than memory should hold. The text is walked before
 * anything is made of it.
 * @throws FileFormatError
 */
export function parseJson(where: string, bytes: Uint8Array, limits: JsonLimits): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError(where, "expected UTF-8 text, received other bytes", { cause });
  }
  checkSizes(where, text, limits);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FileFormatError(where, `expected JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  checkKeys(where, text);
  return value;
}

/** Works on any text: what is no JSON is left to JSON.parse. */
function checkSizes(where: string, text: string, { depth, values }: JsonLimits): void {
  let open = 0;
  let count = 1;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === '"') at = endOfString(text, at);
    else if (letter === "{" || letter === "[") {
      if (++open > depth)
        throw new FileFormatError(where, `expected at most ${depth} objects and lists inside each other`);
      count++;
    } else if (letter === "}" || letter === "]") open--;
    else if (letter === "," || letter === ":") count++;
    if (count > values) throw new FileFormatError(where, `expected at most ${values} values`);
  }
}

/** Works on valid JSON only. */
function checkKeys(where: string, text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === "{") open.push(new Set());
    else if (letter === "[") open.push(undefined);
    else if (letter === "}" || letter === "]") open.pop();
    else if (letter === '"') {
      const end = endOfString(text, at);
      const next = afterSpace(text, end + 1);
      const keys = open.at(-1);
      if (keys !== undefined && text.charAt(next) === ":") {
        // as JSON.parse reads it: "\u0061" and "a" are one key
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (keys.has(key))
          throw new FileFormatError(where, `the key ${JSON.stringify(key)} appears twice; expected it once`);
        keys.add(key);
      }
      at = end;
    }
  }
}

/** Place of the quote that ends the string begun at `start`; the text's end when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === 0x5c) at++;
    else if (letter === 0x22) return at;
  }
  return text.length;
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (" \t\n\r".includes(text.charAt(at)) && at < text.length) at++;
  return at;
}
