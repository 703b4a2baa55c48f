import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { gradientRules } from "./table.ts";

const words = { function: "yes", nonDifferentiable: "none", noRule: "no rule" } as const;

it("docs/operators.md says of every operator what the table of gradients says, and of no other", () => {
  const text = readFileSync(new URL("../../../../docs/operators.md", import.meta.url), "utf8");
  const written = text
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 7 && cells[1] !== "operator" && !cells[1]?.startsWith("-"))
    .map((cells) => [cells[1], cells[5]]);
  const known = Object.entries(gradientRules).map(([operator, entry]) => [
    operator,
    typeof entry === "function" ? words.function : words[entry],
  ]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(known));
});
