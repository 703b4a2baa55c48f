/** @file A policy without rules and prices, for ledgers that stand alone. */
import type { PolicySources } from "./policy.ts";

/** Refuses nothing, knows no price. */
export const noPolicy: PolicySources = {
  prices: {
    load: async () => ({
      bound: () => ({ priceId: null, amount: null }),
      costOf: () => ({ priceId: null, amount: null }),
    }),
  },
  rules: [],
};
