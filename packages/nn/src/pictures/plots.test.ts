import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearAxis, logAxis } from "./axis.ts";
import { type Curve, curvePlot, matrixPlot } from "./index.ts";
import { anyText, textsOf } from "./testing/well-formed.ts";
import { escapeXml, shortened, textWidth } from "./text.ts";

const labelsOf = (axis: { ticks: readonly { label: string }[] }): string[] => axis.ticks.map(({ label }) => label);

describe("an axis", () => {
  it("has round numbers with as many digits as they need", () => {
    expect(labelsOf(linearAxis(0.12, 2.9, 6))).toEqual(["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]);
    expect(labelsOf(linearAxis(0.981, 0.993, 3))).toEqual(["0.980", "0.985", "0.990", "0.995"]);
    expect(labelsOf(linearAxis(-40, 12_000, 3))).toEqual(["−5,000", "0", "5,000", "10,000", "15,000"]);
    expect(labelsOf(linearAxis(0, 3e9, 3))).toEqual(["0", "1e9", "2e9", "3e9"]);
    expect(labelsOf(linearAxis(1e-9, 3e-9, 2))).toEqual(["1e−9", "2e−9", "3e−9"]);
  });

  it("keeps to whole numbers where only these make sense, and to the data's ends", () => {
    const epochs = linearAxis(1, 3, 8, { isRounded: false, isWhole: true });
    expect([epochs.min, epochs.max, ...labelsOf(epochs)]).toEqual([1, 3, "1", "2", "3"]);
  });

  it("gives one value room", () => {
    expect(linearAxis(5, 5, 4)).toMatchObject({ min: 4.5, max: 5.5 });
    expect(linearAxis(0, 0, 4)).toMatchObject({ min: -1, max: 1 });
  });

  it("has powers of ten in a logarithm's steps, and 2 and 5 between when there are few", () => {
    expect(labelsOf(logAxis(0.02, 0.9, 8))).toEqual(["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
    expect(labelsOf(logAxis(1e-6, 3, 9))).toEqual(["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1", "10"]);
    expect(logAxis(1, 100, 9).share(10)).toBeCloseTo(0.5);
    expect(logAxis(7, 7, 9)).toMatchObject({ min: 5, max: 10 });
  });

  it("holds its values and never more than a few ticks, whatever they are", () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(any, any, fc.integer({ min: 2, max: 12 }), (a, b, most) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const axes = [linearAxis(low, high, most), ...(low > 1e-300 ? [logAxis(low, high, most)] : [])];
        for (const axis of axes) {
          expect(axis.ticks.length).toBeLessThanOrEqual(most + 3);
          for (const value of [low, high]) {
            expect(axis.share(value)).toBeGreaterThanOrEqual(-1e-6);
            expect(axis.share(value)).toBeLessThanOrEqual(1 + 1e-6);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("curvePlot", () => {
  const paths = (svg: string): string[] =>
    [...svg.matchAll(/<path class="curve c\d+(?: dashed)?" d="(M[^"]*L[^"]*)"/g)].map(([, d = ""]) => d);

  it("shows titles, names and axes, for day and night", () => {
    const svg = curvePlot(
      [
        { name: "loss", y: [2, 1, 0.5] },
        { name: "valLoss", y: [2.1, 1.5, 1.2], isDashed: true },
      ],
      { title: "CNN", xLabel: "epoch", yLabel: "nats" },
    );
    expect(textsOf(svg)).toEqual([
      "CNN",
      "loss",
      "valLoss",
      "0.5",
      "1.0",
      "1.5",
      "2.0",
      "2.5",
      "1",
      "2",
      "3",
      "epoch",
      "nats",
    ]);
    expect(svg).toContain("@media (prefers-color-scheme:dark)");
    expect(paths(svg).length).toBe(2);
    expect(svg).toContain('class="curve c1 dashed"');
  });

  it("leaves a gap where a value is NaN or infinite, and a dot where one stands alone", () => {
    const svg = curvePlot([{ name: "a", y: [1, 2, Number.NaN, 3, Infinity, 4, 5] }]);
    expect(paths(svg)[0]?.match(/M/g)?.length).toBe(2);
    expect(svg.match(/<circle/g)?.length).toBe(1);
    expect(textsOf(svg).length).toBeGreaterThan(5);
  });

  it("leaves out what a logarithm does not have", () => {
    const svg = curvePlot([{ name: "a", x: [0, 1, 2, 3], y: [5, 0, -1, 1e-3] }], { yScale: "log" });
    expect(svg.match(/<circle/g)?.length).toBe(2);
    expect(textsOf(curvePlot([{ name: "a", y: [0, -1] }], { yScale: "log" }))).toContain("nothing to show");
  });

  it("takes no curve, empty curves, one point, and the widest numbers", () => {
    for (const curves of [[], [{ name: "", y: [] }], [{ name: "a", y: [Number.NaN] }]] as Curve[][])
      expect(textsOf(curvePlot(curves))).toContain("nothing to show");
    for (const y of [[0.5], [1e308, -1e308], [5e-324, 0], [1, 1, 1]]) textsOf(curvePlot([{ name: "a", y }]));
  });

  it("draws a million steps with a few thousand points that keep every peak", () => {
    const y = Float32Array.from({ length: 1_000_000 }, (_, i) => (i === 777_777 ? 100 : Math.sin(i)));
    const svg = curvePlot([{ name: "a", y }]);
    expect(svg.length).toBeLessThan(60_000);
    const heights = [...(paths(svg)[0] ?? "").matchAll(/ ([\d.]+)/g)].map(([, value]) => Number(value));
    const sorted = heights.toSorted((a, b) => a - b);
    expect((sorted[1] ?? 0) - (sorted[0] ?? 0)).toBeGreaterThan(200); // the one peak
  });

  it("is well-formed whatever texts it is given", () => {
    fc.assert(
      fc.property(anyText, anyText, (title, name) => {
        textsOf(curvePlot([{ name, y: [1, 2] }], { title, xLabel: name, yLabel: title }));
      }),
      { numRuns: 100 },
    );
    expect(textsOf(curvePlot([{ name: "\ud800 <b>&\u0000", y: [1] }]))).toContain("\ufffd <b>&\ufffd");
  });
});

describe("matrixPlot", () => {
  it("shows counts, recall, precision and accuracy", () => {
    const texts = textsOf(
      matrixPlot(
        ["cat", "dog"],
        [
          [1234, 0],
          [2, 4],
        ],
        { title: "Pets" },
      ),
    );
    expect(texts).toEqual([
      "Pets",
      "predicted",
      "actual",
      "recall %",
      "precision %",
      "cat",
      "dog",
      "cat",
      "100.0",
      "99.8",
      "dog",
      "66.7",
      "100.0",
      "99.8",
      "1,234",
      "2",
      "4",
    ]);
  });

  it("never says 100 % where there is a mistake, and nothing where there is no sample", () => {
    const texts = textsOf(
      matrixPlot(
        ["a", "b"],
        [
          [99_999_999, 1],
          [0, 0],
        ],
      ),
    );
    // only the precision of a: nothing else was taken for it
    expect(texts.filter((text) => text === "100.0").length).toBe(1);
    expect(texts.filter((text) => text === "–").length).toBe(1);
  });

  it("takes one class and hundreds, long names and markup", () => {
    textsOf(matrixPlot(["<&>"], [[0]]));
    const labels = Array.from({ length: 300 }, (_, i) => `a class with a very long name, number ${i} & more`);
    const svg = matrixPlot(
      labels,
      labels.map((_, i) => labels.map((_, j) => (i === j ? 5 : Number(j === 3)))),
    );
    expect(textsOf(svg).length).toBeLessThan(500);
  });

  it("refuses counts that fit no labels", () => {
    expect(() => matrixPlot([], [])).toThrow("expected at least one label");
    expect(() => matrixPlot(["a"], [])).toThrow("expected 1 rows, one for each label, received 0");
    expect(() => matrixPlot(["a"], [[1, 2]])).toThrow("expected 1 counts in row 0, received 2");
    expect(() => matrixPlot(["a"], [[-1]])).toThrow("expected counts from 0 in row 0, received -1");
    expect(() => matrixPlot(["a"], [[Number.NaN]])).toThrow("received NaN");
  });
});

describe("text", () => {
  it("is shortened in its middle, and never wider than allowed", () => {
    expect(shortened("short", 12, 100)).toBe("short");
    expect(shortened("encoder_block_12_attention", 12, 110)).toMatch(/^encoder.*….*tion$/);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 12, max: 200 }),
        (text, most) => textWidth(shortened(text, 11, most), 11) <= most,
      ),
    );
  });

  it("is escaped, with letters that XML forbids replaced", () => {
    expect(escapeXml('<a href="x">&\u0001\udc00')).toBe("&lt;a href=&quot;x&quot;&gt;&amp;\ufffd\ufffd");
  });
});
