import type { KeyId, ProjectId } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { correctionDimension } from "../metering/index.ts";
import { testOrganizationId } from "../testing/caller.ts";
import { spendOf } from "./index.ts";
import { PriceBook } from "./price-book.ts";
import { priceListOf } from "./price-list.ts";
import { day, decimals, price, terms, termsOfAnyKind } from "./testing/prices.ts";
import { type BillingWorld, openBilling, usage } from "./testing/world.ts";

const claimant = { organizationId: testOrganizationId, projectId: "prj_1" as ProjectId, keyId: null as KeyId | null };
const used = (quantity: string | bigint, dimensions: Record<string, string> = {}) => ({
  meter: "training.seconds",
  quantity,
  dimensions,
});

describe("the price list", () => {
  const list = priceListOf(
    new PriceBook([
      price("0.5", { id: "any" }),
      price("2", { id: "gpu", hardware: "gpu" }),
      price("3", { id: "later", effectiveFrom: day(9) }),
      price("0", { id: "tiered", model: "tiered", ...terms({ type: "package", size: "10", amount: "3" }) }),
      price("0", { id: "flat", model: "flat", ...terms({ type: "flat", amount: "3" }) }),
    ]),
  );

  test("[BIL2] [BIL8] says the price in force and what it comes to", () => {
    expect(list.bound(claimant, used(3n), day(2))).toEqual({ priceId: "any", amount: "1.5" });
    expect(list.costOf(claimant, used("0.25", { hardware: "gpu" }), day(2))).toEqual({ priceId: "gpu", amount: "0.5" });
    expect(list.costOf(claimant, used("1"), day(9))).toEqual({ priceId: "later", amount: "3" });
  });

  test("[BIL4] an unknown price is unknown, and not zero", () => {
    expect(list.bound(claimant, used(3n), new Date(0))).toEqual({ priceId: null, amount: null });
    expect(list.costOf(claimant, { ...used(3n), meter: "rides" }, day(2))).toEqual({ priceId: null, amount: null });
  });

  test("[BIL8] of what depends on the month it says the most that it can add", () => {
    expect(list.bound(claimant, used("11", { model: "tiered" }), day(2))).toEqual({ priceId: "tiered", amount: "6" });
  });

  test("[BIL8] of a deployment whose model is not known yet, it says what the dearest model would cost", () => {
    const open = used("2", { deployment: "digits" });
    // 2 events at the flat price of 3 are one claim: 3; a package of 10 begun costs 3 too; any other model 1.
    expect(list.bound(claimant, open, day(2)).amount).toBe("3");
    expect(list.bound(claimant, used("21", { deployment: "digits" }), day(2))).toEqual({
      priceId: "any",
      amount: "10.5",
    });
    expect(list.bound(claimant, used("2", { deployment: "digits", model: "other" }), day(2)).amount).toBe("1");
    expect(list.costOf(claimant, open, day(2))).toEqual({ priceId: "any", amount: "1" });
    expect(list.bound(claimant, { ...open, meter: "rides" }, day(2))).toEqual({ priceId: null, amount: null });
  });

  test("[BIL9] a correction counts back what it is sure of", () => {
    const whole = { [correctionDimension]: "whole" };
    expect(list.costOf(claimant, used("-3", whole), day(2)).amount).toBe("-1.5");
    expect(list.costOf(claimant, used("-3", { ...whole, model: "flat" }), day(2)).amount).toBe("-3");
    expect(list.costOf(claimant, used("-3", { model: "flat", [correctionDimension]: "part" }), day(2)).amount).toBe(
      "0",
    );
    expect(list.costOf(claimant, used("-3", { ...whole, model: "tiered" }), day(2)).amount).toBe("0");
  });
});

describe("with the ledger", () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await openBilling();
  });
  afterAll(() => world.close());

  test("[BIL8] for any terms, what requests count as is never below what the month comes to", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        termsOfAnyKind,
        fc.array(decimals(200), { minLength: 1, maxLength: 10 }),
        async (of, quantities) => {
          const name = `bounded_${++runs}`;
          const project = await world.project(name);
          await world.pastPrice(`prc_${name}`, name, of);
          const time = "2026-01-10T10:00:00Z";
          await world.ledger.record(
            project,
            quantities.map((quantity, number) => usage(`${number}`, name, quantity, time)),
          );
          const list = await world.billing.prices.load(world.database.db);
          const counted = quantities.reduce((sum, quantity) => {
            const cost = list.costOf(
              { ...claimant, projectId: project },
              { meter: name, quantity, dimensions: {} },
              new Date(time),
            );
            expect(cost.priceId).toBe(`prc_${name}`);
            return sum.plus(cost.amount ?? Number.NaN);
          }, new Big(0));
          const { amount } = await spendOf(world.database.db, {
            from: new Date("2026-01-01"),
            to: new Date("2026-02-01"),
            projectIds: [project],
          });
          expect(counted.gte(amount)).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  });
});
