/** @file Prices: what one meter costs, by which charge model, from when on. */
import { z } from "zod";
import { currency, decimal, timestamp } from "./common.ts";
import { meterName } from "./custom-meters.ts";
import { meters } from "./meters.ts";

/** An amount of money in a price: exact, and fine enough for a byte-hour. */
export const priceAmount = z
  .string()
  .regex(
    /^\d{1,9}(\.\d{1,15})?$/,
    'expected an amount of at most 9 digits before and 15 after the point, such as "0.25"',
  );

/** So much of a meter in a price: a package's size, a tier's end, what is free. */
export const priceQuantity = z
  .string()
  .regex(
    /^\d{1,18}(\.\d{1,9})?$/,
    'expected a quantity of at most 18 digits before and 9 after the point, such as "1000000"',
  );

const aboveZero = priceQuantity.refine((text) => /[1-9]/.test(text), "expected a quantity above zero");

/** Tiers of one price at most. */
export const maxTiers = 50;

/** From the end of the tier before (exclusive; the first begins at zero) up to `up_to` (inclusive). */
export const priceTier = z.strictObject({
  /** null: without end; the last tier, and only it. */
  up_to: aboveZero.nullable(),
  /** For each unit. */
  unit: priceAmount.default("0"),
  /** Once, when the tier is entered. */
  flat: priceAmount.default("0"),
});
export type PriceTier = z.infer<typeof priceTier>;

const priceTiers = z
  .array(priceTier)
  .min(1)
  .max(maxTiers)
  .superRefine((tiers, context) => {
    for (const [index, { up_to }] of tiers.entries()) {
      const before = tiers[index - 1]?.up_to ?? null;
      const path = [index, "up_to"];
      if ((up_to === null) !== (index === tiers.length - 1))
        context.addIssue({ code: "custom", path, message: "expected null in the last tier, and only there" });
      else if (up_to !== null && before !== null && !isBelow(before, up_to))
        context.addIssue({ code: "custom", path, message: "expected more than the tier before" });
    }
  });

/** Compares decimals of the forms above, digit by digit: exact. */
function isBelow(left: string, right: string): boolean {
  const padded = (text: string): string => {
    const [whole = "", part = ""] = text.split(".");
    return whole.padStart(18, "0") + part.padEnd(15, "0");
  };
  return padded(left) < padded(right);
}

/**
 * How use becomes money, for one project and calendar month (UTC):
 * - `per_unit`: each unit costs `amount`;
 * - `flat`: each event costs `amount`, whatever its quantity;
 * - `package`: each `size` units begun cost `amount`;
 * - `graduated`: each unit costs what the tier that it lies in says, and each tier entered its `flat` besides;
 * - `volume`: all units cost what the tier that the month's sum lies in says, and its `flat` once;
 * - `percentage`: of a meter that counts money, the share `rate` ("0.029" is 2.9 %), and `fixed` for each event.
 */
export const priceCharge = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("per_unit"), amount: priceAmount }),
  z.strictObject({ type: z.literal("flat"), amount: priceAmount }),
  z.strictObject({ type: z.literal("package"), size: aboveZero, amount: priceAmount }),
  z.strictObject({ type: z.literal("graduated"), tiers: priceTiers }),
  z.strictObject({ type: z.literal("volume"), tiers: priceTiers }),
  z.strictObject({ type: z.literal("percentage"), rate: priceAmount, fixed: priceAmount.default("0") }),
]);
export type PriceCharge = z.infer<typeof priceCharge>;

export const price = z.object({
  id: z.string(),
  object: z.literal("price"),
  /** One of the platform's meters, or a meter of one's own. */
  meter: z.string(),
  /** null: every model without a price of its own. */
  model: z.string().nullable(),
  /** null: every hardware class without a price of its own. */
  hardware: z.string().nullable(),
  /** For one unit of the meter; null: the charge is of another type than `per_unit`. */
  amount: decimal.nullable(),
  charge: priceCharge,
  /** So many units (`flat`: events) of a project cost nothing in each calendar month (UTC). */
  free: decimal,
  /** What a project that used any of it pays at least in a calendar month; null: no such bound. */
  minimum: decimal.nullable(),
  /** What a project pays at most in a calendar month; null: no such bound. */
  maximum: decimal.nullable(),
  currency,
  effective_from: timestamp,
  effective_to: timestamp.nullable(),
});
export type Price = z.infer<typeof price>;

/** Names that begin so are the platform's: only those of its table are meters. */
const ownPrefix = /^(data|training|deployment|service)\./;

/** What a price may be for. Whether a meter of one's own is there already does not matter: its price may come first. */
export const pricedMeter = meterName.refine((name) => !ownPrefix.test(name) || Object.hasOwn(meters, name), {
  error: `expected a meter of the platform, one of ${Object.keys(meters).join(", ")}, or one of your own`,
});

export const createPrice = z
  .strictObject({
    meter: pricedMeter,
    model: z.string().max(80).nullable().default(null),
    hardware: z.string().max(80).nullable().default(null),
    /** For one unit: the short form of the charge `per_unit`. */
    amount: priceAmount.optional(),
    /** Instead of `amount`. */
    charge: priceCharge.optional(),
    free: priceQuantity.default("0"),
    minimum: priceAmount.nullable().default(null),
    maximum: priceAmount.nullable().default(null),
    /** Default: now. Neither in the past nor at or before the start of the last price of the same meter, model and hardware. */
    effective_from: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ amount, charge }) => (amount === undefined) !== (charge === undefined), {
    path: ["charge"],
    error: "expected either `amount`, for one unit, or `charge`",
  })
  .refine(({ minimum, maximum }) => minimum === null || maximum === null || !isBelow(maximum, minimum), {
    path: ["maximum"],
    error: "expected no less than `minimum`",
  });
export type CreatePrice = z.infer<typeof createPrice>;
