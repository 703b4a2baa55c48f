/** @file The platform's own meters. */

/**
 * Every meter of the platform, its unit, and what it counts; no two count the same thing, so that each can have a price
 * of its own and their amounts add up. One table: our own events of any other name are refused.
 */
export const meters = {
  "data.bytes_processed": { unit: "byte", title: "Data processing", counts: "bytes read and validated by an import" },
  "data.byte_hours": {
    unit: "byte-hour",
    title: "Storage",
    counts: "bytes stored, times the hours that they lay there",
  },
  "training.seconds": {
    unit: "second",
    title: "Training",
    counts: "seconds that a training worker ran, by hardware class",
  },
  "deployment.replica_seconds": {
    unit: "second",
    title: "Deployment",
    counts: "seconds that a replica was ready, by hardware class",
  },
  "service.requests": { unit: "request", title: "Service access", counts: "answered inference requests" },
  "service.images": { unit: "image", title: "Images", counts: "images or rows that a model worked on" },
  "service.input_tokens": {
    unit: "token",
    title: "Input tokens",
    counts: "tokens that a model read and no cache held",
  },
  "service.cached_input_tokens": {
    unit: "token",
    title: "Cached input tokens",
    counts: "tokens that a model read from a cache",
  },
  "service.output_tokens": {
    unit: "token",
    title: "Output tokens",
    counts: "tokens of the answer that a model wrote",
  },
  "service.reasoning_tokens": {
    unit: "token",
    title: "Reasoning tokens",
    counts: "tokens that a model wrote for itself before its answer",
  },
  "service.audio_seconds": { unit: "second", title: "Audio", counts: "seconds of sound heard" },
  "service.characters": { unit: "character", title: "Characters", counts: "characters spoken" },
} as const;

/** A thing that is counted. */
export type Meter = keyof typeof meters;

export const meterNames = Object.keys(meters) as [Meter, ...Meter[]];
