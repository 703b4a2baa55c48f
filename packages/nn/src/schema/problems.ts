/** @file Collects what is wrong with a description, so that one answer lists all of it. */
import { type Problem, SpecError } from "../errors.ts";

/** A growing list of problems. */
export class Problems {
  readonly #list: Problem[] = [];

  /** Notes a problem. */
  add(where: string, message: string): void {
    this.#list.push({ where, message });
  }

  /** How many there are. */
  get count(): number {
    return this.#list.length;
  }

  /** @throws SpecError when there is any. */
  throwIfAny(): void {
    if (this.#list.length > 0) throw new SpecError([...this.#list]);
  }
}

/** A received value, short enough for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return String(value); // NaN and Infinity too, which JSON writes as null
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** True for `{...}`: not null, not an array. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
