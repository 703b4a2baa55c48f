/** @file Charge models as options write them and as people read them. Pure. */
import type { Price, PriceCharge } from "@gristmill/contract";
import { UsageError } from "../failure.ts";
import { type ChartLine, chart } from "../terminal/bars.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatDecimal } from "../terminal/words.ts";

/** Every charge model. */
export const chargeTypes = [
  "per_unit",
  "flat",
  "package",
  "graduated",
  "volume",
  "percentage",
] as const satisfies readonly PriceCharge["type"][];

/** What options say of a charge. */
export interface ChargeFlags {
  readonly charge: PriceCharge["type"];
  readonly size?: string;
  readonly tier?: readonly string[];
  readonly fixed?: string;
}

const wrong = (message: string, help: string): UsageError => new UsageError("cli.wrong_charge", message, help);

/** "1000=0.002" (each of the first 1000), "rest=0.001+5" (each above, and 5 once). @throws UsageError */
export function parseTier(text: string): { up_to: string | null; unit: string; flat: string } {
  const [, upTo = "", unit = "", flat = "0"] =
    /^(\d+(?:\.\d+)?|rest)=(\d+(?:\.\d+)?)(?:\+(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  if (upTo === "")
    throw wrong(
      `--tier: expected UP_TO=UNIT_PRICE or UP_TO=UNIT_PRICE+FLAT, received "${text}".`,
      "Such as 1000=0.002; the last tier is rest=0.001.",
    );
  return { up_to: upTo === "rest" ? null : upTo, unit, flat };
}

/** The charge that the options name; the server checks the numbers. @throws UsageError when they don't fit together. */
export function chargeOf(amount: string | undefined, flags: ChargeFlags): PriceCharge {
  const { charge, size, tier, fixed } = flags;
  const isTiered = charge === "graduated" || charge === "volume";
  if (isTiered !== (tier !== undefined))
    throw wrong(
      isTiered ? `--charge ${charge} needs its tiers.` : "--tier goes with --charge graduated or volume.",
      "Such as --tier 1000=0.002 --tier rest=0.001.",
    );
  if ((charge === "package") !== (size !== undefined))
    throw wrong("--charge package and --size go together.", "Such as 1.50 --charge package --size 1000000.");
  if (fixed !== undefined && charge !== "percentage")
    throw wrong("--fixed goes with --charge percentage.", "Such as 0.029 --charge percentage --fixed 0.30.");
  if (tier !== undefined && isTiered) {
    if (amount !== undefined) throw wrong("The amounts of tiers are in --tier.", "Leave the amount out.");
    return { type: charge, tiers: tier.map(parseTier) };
  }
  if (amount === undefined)
    throw wrong("How much? An amount is missing.", "Such as gristmill price create 0.0005 --meter service.requests.");
  switch (charge) {
    case "package":
      return { type: charge, size: size ?? "", amount };
    case "percentage":
      return { type: charge, rate: amount, fixed: fixed ?? "0" };
    case "flat":
      return { type: charge, amount };
    default:
      return { type: "per_unit", amount };
  }
}

/** 0.029 → "2.9 %", without a float on the way. */
function percent(rate: string): string {
  const [whole = "0", fraction = ""] = rate.split(".");
  const digits = whole + fraction.padEnd(2, "0");
  const point = whole.length + 2;
  return `${formatDecimal(`${digits.slice(0, point).replace(/^0+(?=\d)/, "")}.${digits.slice(point) || "0"}`)} %`;
}

/** A charge in a few words. */
export function chargeText(charge: PriceCharge): string {
  switch (charge.type) {
    case "per_unit":
      return formatDecimal(charge.amount);
    case "flat":
      return `${formatDecimal(charge.amount)} an event`;
    case "package":
      return `${formatDecimal(charge.amount)} per ${formatDecimal(charge.size)}`;
    case "graduated":
    case "volume":
      return `${charge.type}, ${charge.tiers.length} tiers`;
    case "percentage":
      return percent(charge.rate) + (/[1-9]/.test(charge.fixed) ? ` and ${formatDecimal(charge.fixed)} an event` : "");
  }
}

/** What softens or bounds a price in a month. */
export function boundsText({ free, minimum, maximum }: Pick<Price, "free" | "minimum" | "maximum">): string {
  return [
    ...(/[1-9]/.test(free) ? [`${formatDecimal(free)} free`] : []),
    ...(minimum === null ? [] : [`at least ${formatDecimal(minimum)}`]),
    ...(maximum === null ? [] : [`at most ${formatDecimal(maximum)}`]),
  ].join(", ");
}

/** The steps of a tiered price; "" for others. */
export function tiersChart({ charge }: Price, columns: number, paint: Paint): string {
  if (charge.type !== "graduated" && charge.type !== "volume") return "";
  const lines = charge.tiers.map(({ up_to, unit, flat }, i): ChartLine => {
    const before = charge.tiers[i - 1]?.up_to ?? "0";
    const label =
      up_to === null ? `above ${formatDecimal(before)}` : `${formatDecimal(before)} to ${formatDecimal(up_to)}`;
    const once = /[1-9]/.test(flat) ? `, ${formatDecimal(flat)} once` : "";
    return { label, value: Number(unit), text: `${formatDecimal(unit)} each${once}` };
  });
  const meaning =
    charge.type === "graduated"
      ? "each unit costs what its own tier says"
      : "all units cost what the tier of the month's sum says";
  return `${chart(lines, columns, paint)}\n  ${paint("faint", meaning)}`;
}
