/** @file What to do about a budget or a limit that refused: the very command, with the budget as it stands. */
import type { GristmillError } from "@gristmill/sdk";
import { budgetGauge } from "./commands/budget-gauge.ts";
import type { Screen } from "./terminal/screen.ts";
import { formatTime } from "./terminal/words.ts";

/** undefined: the error's own help says it best. */
export function remedyText(
  { code, details }: Pick<GristmillError, "code" | "details">,
  { columns, paint }: Pick<Screen, "columns" | "paint">,
): string | undefined {
  const text = (name: string): string | undefined => {
    const value = details[name];
    return typeof value === "string" ? value : undefined;
  };
  const limit = text("limit_id");
  if (code === "limit.exceeded" && limit !== undefined)
    return `  Wait a moment, or raise it: gristmill limit update ${limit} VALUE`;
  const [budget, amount, spent, reserved] = [text("budget"), text("amount"), text("spent"), text("reserved")];
  if (code !== "budget.exceeded" || !budget || amount === undefined || spent === undefined) return undefined;
  const end = text("period_end");
  return [
    budgetGauge({ amount, spent, reserved: reserved ?? "0", thresholds: [] }, columns, paint),
    `  Raise it: gristmill budget update ${budget} --amount AMOUNT`,
    ...(end === undefined ? [] : [`  Or wait for its next period, from ${formatTime(end)} UTC on.`]),
  ].join("\n");
}
