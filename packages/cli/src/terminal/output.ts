import type { Screen } from "./screen.ts";
import { type Column, facts, table } from "./table.ts";

/** What commands say: results for people or, with --json, one JSON value a line; notes beside them. */
export class Output {
  /** Results. */
  readonly out: Screen;
  /** Notes, progress, errors: never mixed into what a program reads. */
  readonly err: Screen;
  /** One JSON value a line instead of words. */
  readonly json: boolean;

  constructor(out: Screen, err: Screen, json: boolean) {
    this.out = out;
    this.err = err;
    this.json = json;
  }

  /** Says the same thing to whoever listens: words to people, values to programs. */
  result(words: () => string, ...values: readonly unknown[]): void {
    if (!this.json) this.out.stream.write(`${words()}\n`);
    else for (const value of values) this.out.stream.write(`${JSON.stringify(value)}\n`);
  }

  /** A list: a table, or one JSON value an item. @param empty what to say when there are none. */
  list<T>(items: readonly T[], columns: readonly Column[], row: (item: T) => readonly string[], empty: string): void {
    this.result(() => (items.length === 0 ? empty : table(columns, items.map(row), this.out.paint)), ...items);
  }

  /** One thing: its facts, or one JSON value. */
  facts(value: unknown, pairs: () => readonly (readonly [string, string])[]): void {
    this.result(() => facts(pairs(), this.out.paint), value);
  }

  /** Words for a person, wherever results go. */
  note(text: string): void {
    this.err.stream.write(`${text}\n`);
  }
}
