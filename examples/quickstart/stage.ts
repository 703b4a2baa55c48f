/** @file What the steps share: the screen, the signal, headings. */
import type { Screen } from "@gristmill/cli";
import { formatSeconds } from "@gristmill/cli";

/** Where a step speaks, and what stops it. */
export class Stage {
  readonly screen: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  #steps = 0;

  constructor(screen: Screen, signal: AbortSignal) {
    this.screen = screen;
    this.signal = signal;
  }

  /** A line. */
  say(text = ""): void {
    this.screen.stream.write(`${text}\n`);
  }

  /** Announces a step, runs it, and says how long it took. */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    const { paint } = this.screen;
    this.say(`\n${paint("accent", `${this.#steps}`)}  ${paint("strong", title)}`);
    const start = performance.now();
    const result = await work();
    this.say(paint("faint", `   ${formatSeconds((performance.now() - start) / 1000)}`));
    return result;
  }

  /** Something that went well. */
  done(text: string): void {
    this.say(`   ${this.screen.paint("good", "✓")} ${text}`);
  }
}
