/** @file Texts that a grammar allows, drawn at random: reads llama.cpp's notation, so that what is tested is what is printed. */

/** A grammar's part, as it was read. */
type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "class"; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: "sequence" | "choice"; readonly items: readonly Part[] }
  | { readonly kind: "repeat"; readonly item: Part; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly name: string };

/** Draws a text of the grammar's root. @param random 0 to below 1. @returns undefined where it would grow too long. */
export function sample(grammar: string, random: () => number): string | undefined {
  const rules = new Map(
    grammar
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", body = ""] = line.split(/ ::= (.*)/su);
        return [name, new Reader(body).choice()] as const;
      }),
  );
  let left = 20_000;
  const draw = (part: Part, depth: number): string => {
    if (--left < 0 || depth > 2000) throw new RangeError("too long");
    switch (part.kind) {
      case "text":
        return part.text;
      case "class": {
        const [first, last] = part.ranges[Math.floor(random() * part.ranges.length)] ?? [97, 97];
        // Near the beginning of a range more often: texts stay readable.
        const wide = random() < 0.8 ? Math.min(last - first, 90) : last - first;
        return String.fromCodePoint(first + Math.floor(random() * (wide + 1)));
      }
      case "rule":
        return draw(rules.get(part.name) ?? { kind: "text", text: "?" }, depth + 1);
      case "sequence":
        return part.items.map((item) => draw(item, depth + 1)).join("");
      case "choice":
        return draw(part.items[Math.floor(random() * part.items.length)] ?? { kind: "text", text: "" }, depth + 1);
      case "repeat": {
        const most = Math.min(part.max, part.min + 4);
        const count =
          random() < 0.1 && part.max < 2000 ? part.max : part.min + Math.floor(random() * (most - part.min + 1));
        return Array.from({ length: count }, () => draw(part.item, depth + 1)).join("");
      }
    }
  };
  try {
    return draw({ kind: "rule", name: "root" }, 0);
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads a rule's body. */
class Reader {
  readonly #body: string;
  #at = 0;

  constructor(body: string) {
    this.#body = body;
  }

  choice(): Part {
    const items = [this.#sequence()];
    while (this.#takes("| ") || this.#takes("|")) items.push(this.#sequence());
    return { kind: "choice", items };
  }

  #sequence(): Part {
    const items: Part[] = [];
    for (;;) {
      while (this.#takes(" "));
      const next = this.#body[this.#at];
      if (next === undefined || next === "|" || next === ")") return { kind: "sequence", items };
      items.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(item: Part): Part {
    if (this.#takes("?")) return { kind: "repeat", item, min: 0, max: 1 };
    const bounds = /^\{(\d+)(,?)(\d*)\}/u.exec(this.#body.slice(this.#at));
    if (bounds === null) return item;
    this.#at += bounds[0].length;
    const min = Number(bounds[1]);
    const open = bounds[3] === "" ? Number.POSITIVE_INFINITY : Number(bounds[3]);
    return { kind: "repeat", item, min, max: bounds[2] === "" ? min : open };
  }

  #atom(): Part {
    if (this.#takes("(")) {
      const inner = this.choice();
      this.#expect(")");
      return inner;
    }
    if (this.#takes('"')) {
      let text = "";
      while (!this.#takes('"')) text += this.#character();
      return { kind: "text", text };
    }
    if (this.#takes("[")) {
      const ranges: [number, number][] = [];
      while (!this.#takes("]")) {
        const first = this.#character().codePointAt(0) ?? 0;
        ranges.push([first, this.#takes("-") ? (this.#character().codePointAt(0) ?? 0) : first]);
      }
      return { kind: "class", ranges };
    }
    const name = /^[a-z0-9-]+/u.exec(this.#body.slice(this.#at))?.[0];
    if (name === undefined) throw new Error(`no grammar at ${this.#at} of ${this.#body}`);
    this.#at += name.length;
    return { kind: "rule", name };
  }

  #character(): string {
    const point = this.#body.codePointAt(this.#at);
    if (point === undefined) throw new Error(`no end in ${this.#body}`);
    const character = String.fromCodePoint(point);
    this.#at += character.length;
    if (character !== "\\") return character;
    const letter = this.#body[this.#at++] ?? "";
    const length = hexLengths[letter];
    if (length === undefined) return escapes[letter] ?? letter;
    this.#at += length;
    return String.fromCodePoint(Number.parseInt(this.#body.slice(this.#at - length, this.#at), 16));
  }

  #takes(text: string): boolean {
    if (!this.#body.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new Error(`no ${text} at ${this.#at} of ${this.#body}`);
  }
}
