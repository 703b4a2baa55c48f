/** @file Every metric by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { accuracy } from "./accuracy.ts";
import type { Metric } from "./metric.ts";

/** Every metric. */
export const metrics = { accuracy } satisfies KindTable<Metric>;

/** The name of a metric. */
export type MetricName = keyof typeof metrics;
