import { curvePlot } from "../pictures/index.ts";
import type { Json } from "../schema/field.ts";
import { isRecord } from "../schema/problems.ts";
import type { Callback } from "../training/control.ts";
import { numbersOf } from "./log-row.ts";
import { writeWhole } from "./whole-file.ts";

/** An epoch's numbers, with its own as "epoch". */
type Point = Readonly<Record<string, Json>>;

const pointsOf = (known: Json | undefined): readonly Point[] =>
  (Array.isArray(known) ? known.filter(isRecord) : []) as readonly Point[];

/** A number of all epochs that have it. */
function lineOf(points: readonly Point[], name: string) {
  const places = points.flatMap(({ epoch, [name]: value }) =>
    typeof value === "number" && typeof epoch === "number" ? [{ x: epoch, y: value }] : [],
  );
  return { name, x: places.map(({ x }) => x), y: places.map(({ y }) => y), isDashed: name.startsWith("val") };
}

/**
 * A picture of the training as SVG, written anew after each epoch: losses and metrics, validation dashed. A resumed training
 * goes on with the picture of the one that it resumes.
 */
export function curves(path: string): Callback {
  return {
    name: `curves ${path}`,
    async onEpochEnd(result, control) {
      const numbers = Object.entries(numbersOf(result)).filter(
        ([name, value]) => name !== "learningRate" && Number.isFinite(value),
      );
      const before = pointsOf(control.recall()).filter(({ epoch }) => Number(epoch) < result.epoch);
      const points: Point[] = [...before, { epoch: result.epoch, ...Object.fromEntries(numbers) }];
      control.remember([...points]);
      const names = new Set(points.flatMap((point) => Object.keys(point)));
      const lines = [...names].filter((name) => name !== "epoch").map((name) => lineOf(points, name));
      await writeWhole(path, new TextEncoder().encode(curvePlot(lines, { title: "Training", xLabel: "epoch" })));
    },
  };
}
