import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Classification } from "@gristmill/contract";
import type { Command } from "commander";
import { CliError } from "../failure.ts";
import { drawPicture } from "../image/draw.ts";
import { decodePng } from "../image/png.ts";
import { chart } from "../terminal/bars.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatShare } from "../terminal/words.ts";
import { type OpenSession, verb, wholeNumber } from "./command.ts";

/** Widest drawing of an image, in characters. */
const drawnColumns = 28;

/** An answer: the image where it can be drawn, and a bar for each label. */
export function predictionText(name: string, image: Uint8Array, answer: Classification, screen: Screen): string {
  const { paint, columns, colours, isTerminal } = screen;
  const picture = isTerminal ? decodePng(image) : undefined;
  const drawn =
    picture === undefined ? [] : drawPicture(picture, { columns: Math.min(drawnColumns, columns - 4), colours });
  const lines = answer.labels.map(({ label, score }) => ({
    label,
    value: score,
    text: formatShare(score),
  }));
  const { queue_ms, compute_ms } = answer.timings;
  const times = `waited ${queue_ms.toFixed(1)} ms, computed ${compute_ms.toFixed(1)} ms`;
  return [
    `${paint("strong", name)}  ${paint("faint", `${answer.model}, version ${answer.model_version}, ${times}`)}`,
    ...drawn.map((line) => `  ${line}`),
    chart(lines, columns, paint),
  ].join("\n");
}

/** `gristmill predict` */
export function predictCommand(open: OpenSession): Command {
  const predict = verb("predict <deployment> <image...>", "Ask a deployment what is on images (PNG, JPEG, WebP)", [
    "gristmill predict digits seven.png",
    "gristmill predict digits *.png --top 1 --json",
  ]).option("--top <count>", "labels of each, best first", wholeNumber(1, 1000), 5);
  predict.action(async (model: string, images: string[], { top }: { top: number }) => {
    const { client, output, signal } = await open(predict).connected();
    for (const path of images) {
      const image = await readFile(path).catch((cause: unknown) => {
        throw new CliError("cli.file", `${path}: can't be read.`, cause instanceof Error ? cause.message : "");
      });
      const answer = await client.services.classifyImage(image, { model, top, signal });
      output.result(() => predictionText(basename(path), image, answer, output.out), { file: path, ...answer });
    }
  });
  return predict;
}
