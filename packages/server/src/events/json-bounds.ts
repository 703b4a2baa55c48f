/** @file What JSON from outside may look like before it is kept: not too deep, and of characters that can be stored. Pure. */
import { eventLimits } from "@gristmill/contract";

/**
 * What keeps a value from being stored; undefined: nothing. Without recursion, because what is too deep would end it.
 * PostgreSQL stores neither U+0000 nor half of a surrogate pair.
 */
export function unstorable(value: unknown): string | undefined {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > eventLimits.depth) return `nests deeper than ${eventLimits.depth} levels`;
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each === "string" && !isStorable(each)) return "holds U+0000 or half of a surrogate pair";
      if (typeof each !== "object" || each === null) continue;
      for (const [key, inner] of Object.entries(each)) {
        if (!isStorable(key)) return "holds U+0000 or half of a surrogate pair";
        next.push(inner);
      }
    }
    level = next;
  }
  return undefined;
}

const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();
