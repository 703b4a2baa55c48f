/** @file Is it a CloudEvent 1.0, of a source and a time that may be taken? Pure. */
import { eventLimits, type QuarantineReason } from "@gristmill/contract";
import { z } from "zod";
import { isReservedSource, isSource } from "./source-name.ts";

/** An event that can be counted, if there is a meter for it. */
export interface CheckedEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: Date;
  /** undefined: the event has none. */
  readonly data: unknown;
  /** Its JSON, its time in it. */
  readonly text: string;
}

/** What is wrong with an event. */
export interface Problem {
  readonly code: QuarantineReason;
  readonly reason: string;
}

/** From when to when events are taken. */
export interface TimeBounds {
  readonly now: Date;
  readonly oldest: Date;
}

/** CloudEvents' strings have no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are refused
const controls = /[\u0000-\u001f\u007f-\u009f]/;
const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => !controls.test(value), "expected no control characters");

const attributes = z.looseObject({
  specversion: z.literal("1.0"),
  id: text(eventLimits.attributeLength),
  source: text(eventLimits.attributeLength).refine(isSource, "expected a URI reference, such as shop/checkout"),
  type: text(eventLimits.attributeLength),
  subject: text(512).optional(),
  time: z.iso.datetime({ offset: true }).optional(),
  datacontenttype: text(255)
    .refine((type) => /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type), "expected JSON: usage is read from it")
    .optional(),
  dataschema: text(2048).optional(),
  data_base64: z.undefined("expected JSON data: usage is not read from bytes").optional(),
});
const known = new Set([...Object.keys(attributes.shape), "data"]);

/** Checks one event as it was sent. */
export function checkEvent(value: unknown, { now, oldest }: TimeBounds): CheckedEvent | Problem {
  const parsed = attributes.safeParse(value);
  if (!parsed.success)
    return malformed(
      parsed.error.issues.map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`).join("; "),
    );
  const { id, source, type, subject, time: sentTime } = parsed.data;
  const extension = Object.entries(value as object).find(
    ([name, each]) => !known.has(name) && !isExtension(name, each),
  );
  if (extension !== undefined)
    return malformed(
      `${extension[0]}: expected an extension of a-z and 0-9 that is text, a whole number or a truth value`,
    );
  if (isReservedSource(source))
    return { code: "source.reserved", reason: `source: "${source}" is kept for the platform's own events` };
  const time = sentTime === undefined ? now : new Date(sentTime);
  if (time.getTime() > now.getTime() + eventLimits.aheadMs)
    return {
      code: "time.ahead",
      reason: `time: ${time.toISOString()} lies more than 5 minutes ahead of ${now.toISOString()}`,
    };
  if (time < oldest)
    return {
      code: "time.too_old",
      reason: `time: ${time.toISOString()} lies before ${oldest.toISOString()}, the oldest that is kept`,
    };
  const kept = sentTime === undefined ? { ...parsed.data, time: time.toISOString() } : parsed.data;
  return { id, source, type, subject, time, data: parsed.data["data"], text: JSON.stringify(kept) };
}

const isExtension = (name: string, value: unknown): boolean =>
  /^[a-z0-9]{1,20}$/.test(name) &&
  (typeof value === "boolean" ||
    (typeof value === "string" && !controls.test(value)) ||
    (Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31));

const malformed = (reason: string): Problem => ({ code: "event.malformed", reason: reason.slice(0, 1000) });
