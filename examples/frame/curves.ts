/** @file The curves of a training as pictures. */
import { curvePlot, type EpochResult } from "@gristmill/nn";
import type { RunFolder } from "./run-folder.ts";

/** Writes loss.svg and a picture of each metric, such as accuracy.svg: training and test against epochs. */
export async function writeCurves(folder: RunFolder, label: string, results: readonly EpochResult[]): Promise<void> {
  const names = ["loss", ...Object.keys(results[0]?.metrics ?? {})];
  const file = label.replaceAll(/\W+/g, "-");
  for (const name of names) {
    const numberOf = (scores: EpochResult["validation"]): number =>
      (name === "loss" ? scores?.loss : scores?.metrics[name]) ?? Number.NaN;
    const curves = [{ name: "training", y: results.map(numberOf) }];
    if (results.some(({ validation }) => validation !== undefined))
      curves.push({ name: "test", y: results.map(({ validation }) => numberOf(validation)) });
    const picture = curvePlot(curves, { title: label, xLabel: "epoch", yLabel: name });
    await folder.write(`${file}${file === "" ? "" : "-"}${name}.svg`, picture);
  }
}
