import type { Callback } from "../training/control.ts";
import { numbersOf } from "./log-row.ts";

/** Where a progress bar goes: a terminal, such as `process.stderr`. */
export interface Terminal {
  write(text: string): unknown;
  /** Letters of a line; a file or pipe has none. */
  readonly columns?: number;
}

const barLength = 24;
const clearLine = "\r\u001b[K";

const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
};

const bar = (share: number): string => {
  const done = Math.round(Math.min(share, 1) * barLength);
  return `${"━".repeat(done)}${"─".repeat(barLength - done)}`;
};

const listed = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join("  ");

/**
 * A line that shows how far an epoch is, with samples per second and time left, and stays as a line of results. Where there
 * is no terminal, a line for each epoch and nothing else.
 */
export function progressBar(terminal: Terminal = process.stderr): Callback {
  let isLineOpen = false;
  return {
    name: "progressBar",
    onRunEnd({ epoch, epochs, step, steps, samplesPerSecond, secondsLeft, loss, metrics }) {
      const { columns } = terminal;
      if (columns === undefined) return;
      const place = steps === undefined ? `step ${step}` : `${bar(step / steps)} ${step}/${steps}`;
      const left = secondsLeft === undefined ? "" : `  ${clock(secondsLeft)} left`;
      const line = `epoch ${epoch}/${epochs}  ${place}  ${listed({ loss, ...metrics })}  ${Math.round(samplesPerSecond)}/s${left}`;
      terminal.write(`${clearLine}${line.slice(0, Math.max(0, columns - 1))}`); // a full line would wrap
      isLineOpen = true;
    },
    onEpochEnd(result) {
      const { learningRate: _, ...numbers } = numbersOf(result);
      const line = `epoch ${result.epoch}  ${listed(numbers)}  ${clock(result.seconds)}\n`;
      terminal.write(isLineOpen ? `${clearLine}${line}` : line);
      isLineOpen = false;
    },
    onTrainEnd() {
      // what broke off stays readable
      if (isLineOpen) terminal.write("\n");
      isLineOpen = false;
    },
  };
}
