import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bar, chart } from "./bars.ts";
import { hasColours, painter } from "./paint.ts";
import { progressLine } from "./progress.ts";
import { facts, table } from "./table.ts";
import { formatBytes, formatDecimal, formatMetrics, formatSeconds } from "./words.ts";

const plain = painter(false);

describe("words", () => {
  it("sizes have three digits and the unit that fits", () => {
    expect([0, 999, 1000, 999_499, 54_950_096, 3e12].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.00 kB",
      "999 kB",
      "55.0 MB",
      "3.00 TB",
    ]);
  });

  it("durations are said in the two largest units", () => {
    expect([0.04, 9.94, 9.96, 59.6, 75.4, 3600, 93_784].map(formatSeconds)).toEqual([
      "0.0s",
      "9.9s",
      "10s",
      "1m 00s",
      "1m 15s",
      "1h 00m",
      "26h 03m",
    ]);
  });

  it("exact decimals keep every digit that means something", () => {
    expect(["54950096", "0.054950096000", "1234.50", "0"].map(formatDecimal)).toEqual([
      "54,950,096",
      "0.054950096",
      "1,234.5",
      "0",
    ]);
  });

  it("accuracies are shares, losses are numbers", () => {
    expect(formatMetrics({ loss: 0.05123, val_accuracy: 0.98421 })).toBe("loss 0.0512  val_accuracy 98.42 %");
  });
});

describe("bars", () => {
  it("are drawn to an eighth of a character", () => {
    expect([bar(0, 4), bar(0.5, 4), bar(0.53125, 4), bar(1, 4), bar(7, 4)]).toEqual(["", "██", "██▏", "████", "████"]);
  });

  it("never outgrow their width, and a larger share is never shorter", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (a, b) => {
        const [small, large] = [bar(Math.min(a, b), 20), bar(Math.max(a, b), 20)];
        expect(small.length).toBeLessThanOrEqual(large.length);
        expect(large.length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it("share one scale in a chart, and what is above nothing is seen", () => {
    const lines = [
      { label: "one", value: 1, text: "1.00" },
      { label: "three", value: 1e-9, text: "0.00" },
      { label: "none", value: 0, text: "0" },
    ];
    expect(chart(lines, 30, plain)).toBe(
      ["  one    ███████████████  1.00", "  three  ▏                0.00", "  none                    0"].join("\n"),
    );
  });
});

describe("tables", () => {
  it("align numbers at the right and leave no spaces behind", () => {
    const columns = [{ head: "name" }, { head: "size", align: "right" as const }];
    const lines = table(
      columns,
      [
        ["mnist", "55 MB"],
        ["x", "1 kB"],
      ],
      plain,
    ).split("\n");
    expect(lines).toEqual([
      " ───────────────",
      "  name     size",
      " ───────────────",
      "  mnist   55 MB",
      "  x        1 kB",
      " ───────────────",
    ]);
  });

  it("count wide only what is seen: colours take no room", () => {
    const columns = [{ head: "a" }, { head: "b" }];
    const bare = table(columns, [["xx", "y"]], plain);
    const painted = table(columns, [[painter(true)("good", "xx"), "y"]], plain);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of colours are what is removed
    expect(painted.replaceAll(/\x1b\[\d+m/g, "")).toBe(bare);
  });

  it("facts line up, also those of several lines", () => {
    expect(
      facts(
        [
          ["a", "1"],
          ["long", "2\n3"],
        ],
        plain,
      ),
    ).toBe("  a     1\n  long  2\n        3");
  });
});

describe("a progress line", () => {
  it("never wraps, however narrow the window", () => {
    for (let columns = 5; columns < 200; columns++)
      expect(progressLine("train", 0.5, ["x".repeat(100), "y".repeat(30)], columns).length).toBeLessThan(columns);
  });

  it("gives up bar, then words, then title, as the window gets narrower", () => {
    const line = (columns: number): string => progressLine("train", 0.5, ["epoch 1 of 2", "1/2"], columns);
    expect(line(80)).toBe("  train ████████████░░░░░░░░░░░░  50%  epoch 1 of 2");
    expect(line(40)).toBe("  train ██████░░░░░░  50%  epoch 1 of 2");
    expect(line(30)).toBe("  ████░░░░  50%  epoch 1 of 2");
    expect(line(25)).toBe("  train ███░░░  50%  1/2");
    expect(line(21)).toBe("  ████░░░░  50%  1/2");
  });
});

it("colours are for terminals, unless NO_COLOR or FORCE_COLOR say otherwise", () => {
  expect(hasColours(true, {})).toBe(true);
  expect(hasColours(false, {})).toBe(false);
  expect(hasColours(true, { NO_COLOR: "1" })).toBe(false);
  expect(hasColours(true, { TERM: "dumb" })).toBe(false);
  expect(hasColours(false, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(true);
});
