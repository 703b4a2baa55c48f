/** @file The one currency of this platform's price book. */

/** ISO 4217, and how many digits its smallest coin lies after the point. */
export const platformCurrency = { code: "USD", minorDigits: 2 } as const;
