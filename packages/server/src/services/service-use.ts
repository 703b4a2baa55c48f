/** @file What an answered inference request uses: one request, and its images or rows. */
import type { Quantity } from "../http/index.ts";

/** Quantities of one request; the dimensions say which service, deployment and model. */
export function serviceUse(dimensions: Readonly<Record<string, string>>, rows: number): readonly Quantity[] {
  return [
    { meter: "service.requests", quantity: 1n, dimensions },
    { meter: "service.images", quantity: BigInt(rows), dimensions },
  ];
}
