/** @file How full a budget is, as a bar. Pure. */
import type { Budget } from "@gristmill/contract";
import { shareOf } from "../terminal/decimals.ts";
import type { Look, Paint } from "../terminal/paint.ts";
import { formatShare } from "../terminal/words.ts";

/** What a gauge is drawn from. */
export type Gauged = Pick<Budget, "amount" | "spent" | "reserved" | "thresholds">;

/** "54.2 %", and ">999 %" where more digits say nothing. */
export const percentText = (spent: string, amount: string): string => {
  const share = shareOf(spent, amount);
  return share > 9.99 ? ">999 %" : formatShare(share, 1);
};

/** Green while no threshold is passed, then yellow, red from the amount on. */
function lookOf({ spent, amount, thresholds }: Gauged): Look {
  const percent = shareOf(spent, amount) * 100;
  if (percent >= 100) return "bad";
  return thresholds.some((threshold) => percent >= threshold) ? "warning" : "good";
}

/** Spent, then reserved for work under way, then what is left: `width` characters. */
export function gauge(budget: Gauged, width: number, paint: Paint): string {
  const { spent, reserved, amount } = budget;
  const end = (share: number): number => Math.round(Math.min(Math.max(share, 0), 1) * width);
  // What is above nothing is seen.
  const spentEnd = Math.max(end(shareOf(spent, amount)), Number(spent) > 0 ? 1 : 0);
  const heldEnd = Math.max(spentEnd, end(shareOf(spent, amount) + shareOf(reserved, amount)));
  return (
    paint(lookOf(budget), "█".repeat(spentEnd)) +
    paint("accent", "▒".repeat(heldEnd - spentEnd)) +
    paint("faint", "░".repeat(width - heldEnd))
  );
}

/** A wide gauge with a mark at each threshold below it, and what the patterns mean. */
export function budgetGauge(budget: Gauged, columns: number, paint: Paint): string {
  const width = Math.max(10, Math.min(50, columns - 12));
  const marks = Array.from({ length: width + 8 }, () => " ");
  for (const threshold of budget.thresholds) {
    const at = Math.round((Math.min(threshold, 100) / 100) * width) - 1;
    const text = `▲${threshold}`;
    // Marks that would run into each other: the first stays.
    if (marks.slice(Math.max(0, at - 1), at + text.length).some((mark) => mark !== " ")) continue;
    for (const [i, mark] of [...text].entries()) marks[Math.max(0, at) + i] = mark;
  }
  const scale = marks.join("").trimEnd();
  return [
    `  ${gauge(budget, width, paint)}  ${percentText(budget.spent, budget.amount)}`,
    ...(scale === "" ? [] : [`  ${paint("faint", scale)}`]),
    `  ${paint("faint", "█ spent   ▒ reserved for work under way   ░ left")}`,
  ].join("\n");
}
