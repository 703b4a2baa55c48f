import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { optimizers } from "../optimizers/table.ts";
import { firstSentence } from "../testing/reference/docstrings.ts";
import { probe } from "../testing/reference/mask-probe.ts";
import { referenceDocument } from "../testing/reference/reference-document.ts";
import { layerKinds } from "./table.ts";

const written = readFileSync(new URL("../../../../docs/layers.md", import.meta.url), "utf8");

describe("docs/layers.md", () => {
  it("is what the tables, the docstrings and the layers themselves say, word for word", () => {
    expect(written, "run `node scripts/layers-doc.ts`").toBe(referenceDocument());
  });

  it("has a row for each layer and each optimizer", () => {
    const rows = new Set([...written.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));
    const besides: Readonly<Record<string, string>> = { model: "subModel", onnx: "onnxLayer" };
    const names = [...[...layerKinds.keys()].map((type) => besides[type] ?? type), ...Object.keys(optimizers)];
    expect(names.filter((name) => !rows.has(name))).toEqual([]);
  });
});

describe("what becomes of a mask, found by trying", () => {
  it.each([
    ["dense", "passes", [1, 1]],
    ["add", "passes", [2, Number.POSITIVE_INFINITY]],
    ["lstm", "ends", [1, Number.POSITIVE_INFINITY]],
    ["globalAveragePooling1d", "ends", [1, 1]],
    ["flatten", "refused", [1, 1]],
    ["dot", "refused", [2, 2]],
    ["multiHeadAttention", "passes", [1, 4]],
  ] as const)("%s: %s", (type, mask, inputs) => {
    const kind = layerKinds.get(type);
    expect(kind && probe(kind)).toEqual({ mask, inputs });
  });
});

describe("the first sentence of a docstring", () => {
  it.each([
    ["one line", " Adds. ", "Adds."],
    ["a point within a number", "\n * A rate of 0.5 halves. Source: nobody.\n ", "A rate of 0.5 halves."],
    ["lines and paragraphs", "\n * Two\n * lines\n *\n * - Shapes: any.\n ", "Two lines"],
    ["a tag", "\n * Sums.\n * @throws Error never\n ", "Sums."],
  ])("%s", (_name, comment, sentence) => {
    expect(firstSentence(comment)).toBe(sentence);
  });
});
