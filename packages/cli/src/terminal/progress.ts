/** @file Progress: a bar that moves in a terminal, plain lines elsewhere. */
import { SingleBar } from "cli-progress";
import { bar } from "./bars.ts";
import type { Screen } from "./screen.ts";

/** Shows how far something is. */
export interface Progress {
  /** @param share done, 0 to 1. @param text what to say of it. */
  update(share: number, text: string): void;
  /** Ends it; the last state stays to be read. */
  stop(): void;
}

/** In a file, one line is enough for so much time. */
const lineEveryMs = 10_000;
const barWidth = 24;

/** The bar's line, no longer than the terminal is wide. */
export function progressLine(title: string, share: number, text: string, columns: number): string {
  const percent = `${Math.floor(Math.min(share, 1) * 100)}%`.padStart(4);
  const drawn = bar(share, barWidth).padEnd(barWidth, "░");
  const line = `  ${title} ${drawn} ${percent}  ${text}`;
  return line.length < columns ? line : line.slice(0, columns - 1);
}

/** @param now milliseconds, for the pace of plain lines. */
export function startProgress(screen: Screen, title: string, now: () => number = Date.now): Progress {
  return screen.isTerminal ? movingBar(screen, title) : plainLines(screen, title, now);
}

function movingBar(screen: Screen, title: string): Progress {
  let text = "";
  let share = 0;
  const view = new SingleBar({
    format: () => progressLine(title, share, text, screen.columns),
    stream: screen.stream,
    hideCursor: true,
    linewrap: null,
    // Ours to end: the command decides what Ctrl-C means.
    gracefulExit: false,
  });
  view.start(1, 0);
  return {
    update(next, words) {
      share = next;
      text = words;
      view.update(next);
    },
    stop: () => view.stop(),
  };
}

function plainLines(screen: Screen, title: string, now: () => number): Progress {
  let last = Number.NEGATIVE_INFINITY;
  let unsaid: string | undefined;
  return {
    update(share, text) {
      const line = `${title}: ${Math.floor(share * 100)}% ${text}\n`;
      unsaid = line;
      if (now() - last < lineEveryMs) return;
      last = now();
      unsaid = undefined;
      screen.stream.write(line);
    },
    stop() {
      if (unsaid !== undefined) screen.stream.write(unsaid);
      unsaid = undefined;
    },
  };
}
