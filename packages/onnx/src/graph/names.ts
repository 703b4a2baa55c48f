/** @file Names of nodes and values, each used once in a graph and the graphs inside it. */
import { OnnxError } from "../errors.ts";

/** Hands out names that no one else has. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  /** Takes a name. @throws OnnxError when it is empty or taken. */
  claim(name: string): string {
    if (name === "") throw new OnnxError("name", 'expected a name, received ""');
    if (this.#taken.has(name)) throw new OnnxError(name, "this name is already used in the graph; choose another");
    this.#taken.add(name);
    return name;
  }

  /** The wished name, or it with the next free number: "Add", "Add_1". */
  fresh(wish: string): string {
    let name = wish;
    while (this.#taken.has(name)) {
      const count = (this.#next.get(wish) ?? 0) + 1;
      this.#next.set(wish, count);
      name = `${wish}_${count}`;
    }
    this.#taken.add(name);
    return name;
  }
}
