import { styleText } from "node:util";

/** Looks of text, by what they mean. */
const looks = {
  strong: "bold",
  faint: "dim",
  good: "green",
  warning: "yellow",
  bad: "red",
  accent: "cyan",
  series1: "cyan",
  series2: "magenta",
  series3: "yellow",
  series4: "green",
  series5: "blue",
} as const;

/** What a piece of text means. */
export type Look = keyof typeof looks;

/** Gives text its look, or leaves it plain. */
export type Paint = (look: Look, text: string) => string;

/** Colours, or none when the other end is a file or a program. */
export const painter =
  (colours: boolean): Paint =>
  (look, text) =>
    colours ? styleText(looks[look], text, { validateStream: false }) : text;

/** True when a stream shows colours: a terminal, unless NO_COLOR says otherwise; FORCE_COLOR overrules both (no-color.org, force-color.org). */
export function hasColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** How a status is to be seen. */
const statusLooks: Readonly<Record<string, Look>> = {
  ready: "good",
  succeeded: "good",
  running: "accent",
  importing: "accent",
  starting: "accent",
  queued: "faint",
  cancelling: "warning",
  cancelled: "warning",
  paused: "warning",
  unpaid: "warning",
  degraded: "warning",
  restarting: "warning",
  stopping: "warning",
  stopped: "faint",
  failed: "bad",
};

/** A status in its colour. */
export const paintStatus = (paint: Paint, status: string): string => {
  const look = statusLooks[status];
  return look === undefined ? status : paint(look, status);
};
