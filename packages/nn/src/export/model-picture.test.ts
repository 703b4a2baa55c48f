import { describe, expect, it } from "vitest";
import { languageModel } from "../../fixtures/gguf/language-model.ts";
import { concatenate, dense, input, Model, Sequential } from "../index.ts";
import { textsOf } from "../pictures/testing/well-formed.ts";
import { modelPicture } from "./index.ts";

const boxes = (svg: string): number => svg.match(/<rect class="box"/g)?.length ?? 0;
const arrows = (svg: string): number => svg.match(/<path class="edge"/g)?.length ?? 0;

describe("modelPicture", () => {
  it("shows layers that follow one another, with sizes and weights", () => {
    const svg = modelPicture(new Sequential([dense(1200, { inputShape: [3] }), dense(2)]), { title: "Two" });
    const texts = textsOf(svg);
    expect(texts.slice(0, 5)).toEqual(["Two", "input", "float32", "output", "3"]);
    expect(texts).toEqual(expect.arrayContaining(["dense_1", "dense", "1,200", "4,800", "dense_2", "2,402"]));
    expect([boxes(svg), arrows(svg)]).toEqual([3, 2]);
  });

  it("shows inputs, branches and outputs", () => {
    const [a, b] = [input({ shape: [2], name: "a" }), input({ shape: [4], name: "b" })];
    const joined = concatenate({ name: "both" }).apply([dense(2, { name: "left" }).apply(a), b]);
    const svg = modelPicture(
      new Model({
        inputs: [a, b],
        outputs: [dense(1, { name: "x" }).apply(joined), dense(1, { name: "y" }).apply(joined)],
      }),
    );
    expect([boxes(svg), arrows(svg)]).toEqual([6, 5]);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["a", "b", "left", "both", "x", "y"]));
  });

  it("shows a layer that is used again as a box of its own, without counting its weights twice", () => {
    const svg = modelPicture(languageModel("tied"));
    const texts = textsOf(svg);
    expect(texts.filter((text) => text === "reversibleEmbedding_1").length).toBe(2);
    expect(texts.filter((text) => text === "8,224").length).toBe(1);
    expect(texts).toContain("shared");
    expect(texts).toContain("? × 257");
  });
});
