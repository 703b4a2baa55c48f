/** @file Event files for TensorBoard. Read event.ts first. */
export type { EventTime, SummaryValue } from "./event.ts";
export { type EventFileOrigin, EventWriter, eventFileName } from "./event-writer.ts";
export { type Histogram, histogramOf } from "./histogram.ts";
export { type ReadEvent, readEvents } from "./read-events.ts";
