/** @file Progress: a bar that moves in a terminal, plain lines elsewhere. */
import { SingleBar } from "cli-progress";
import { bar } from "./bars.ts";
import type { Paint } from "./paint.ts";
import type { Screen } from "./screen.ts";

/** Shows how far something is. */
export interface Progress {
  /** @param share done, 0 to 1. @param text what to say of it; of several, the first that fits the window, longest first. */
  update(share: number, text: string | readonly string[]): void;
  /** Ends it; the last state stays to be read. */
  stop(): void;
}

/** In a file, one line is enough for so much time. */
const lineEveryMs = 10_000;
/** Widest and narrowest bar, in characters. */
const widest = 24;
const narrowest = 4;

/** The bar's line, shorter than the terminal is wide: first the bar gives way, then the words, then the title. */
export function progressLine(
  title: string,
  share: number,
  text: string | readonly string[],
  columns: number,
  paint: Paint = (_, plain) => plain,
): string {
  const percent = `${Math.floor(Math.min(share, 1) * 100)}%`.padStart(4);
  const texts = typeof text === "string" ? [text] : text;
  for (const words of texts)
    for (const name of [title, ""]) {
      const start = name === "" ? "  " : `  ${name} `;
      const end = ` ${percent}  ${words}`;
      const room = columns - 1 - start.length - end.length;
      if (room < narrowest) continue;
      const width = Math.min(widest, room);
      return `${start}${paint("accent", bar(share, width).padEnd(width, "░"))}${end}`;
    }
  return `  ${percent}  ${texts.at(-1) ?? ""}`.slice(0, columns - 1);
}

/** @param now milliseconds, for the pace of plain lines. */
export function startProgress(screen: Screen, title: string, now: () => number = Date.now): Progress {
  return screen.isTerminal ? movingBar(screen, title) : plainLines(screen, title, now);
}

function movingBar(screen: Screen, title: string): Progress {
  let text: string | readonly string[] = "";
  let share = 0;
  const view = new SingleBar({
    format: () => progressLine(title, share, text, screen.columns, screen.paint),
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
      const words = typeof text === "string" ? text : (text[0] ?? "");
      const line = `${title}: ${Math.floor(share * 100)}% ${words}\n`;
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
