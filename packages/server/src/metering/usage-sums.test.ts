import type { KeyId, ProjectId } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createMetering, type Ledger, type UsageRecord } from "./index.ts";
import { eventOf, silent } from "./testing/events.ts";
import { type SumGroup, sumUsage, type UsageQuestion } from "./usage-sums.ts";

let database: TestDatabase;
let ledger: Ledger;
let projects: readonly [ProjectId, ProjectId];

const start = Date.UTC(2026, 0, 31, 20);
const hour = 3_600_000;
/** Over the end of a month, so that more than one partition is read. */
const spanMs = 12 * hour;

interface Written {
  readonly project: number;
  readonly record: UsageRecord;
}

const written: Written[] = [];

beforeAll(async () => {
  database = await testDatabase();
  ledger = createMetering({ db: database.db, now: () => new Date(), log: silent }).ledger;
  projects = [await insertTestProject(database.db, "one"), await insertTestProject(database.db, "two")];
  const events = fc.sample(
    fc.record({
      project: fc.nat(1),
      offset: fc.oneof(
        fc.nat(spanMs),
        fc.nat(12).map((hours) => hours * hour),
      ),
      thousandths: fc.integer({ min: -500_000, max: 9_999_999 }),
      meter: fc.constantFrom("service.requests", "training.seconds"),
      key: fc.constantFrom("key_a", "key_b", null),
      model: fc.constantFrom("m1", "m2", undefined),
      deployment: fc.constantFrom("d1", "d2"),
    }),
    { numRuns: 700, seed: 7 },
  );
  for (const [index, { project, offset, thousandths, meter, key, model, deployment }] of events.entries())
    written.push({
      project,
      record: eventOf(`event ${index}`, {
        meter,
        quantity: new Big(thousandths).div(1000).toFixed(),
        time: new Date(start + offset),
        keyId: key as KeyId | null,
        dimensions: { deployment, ...(model === undefined ? {} : { model }), model_version: String(index % 7) },
      }),
    });
  for (const project of [0, 1]) {
    const own = written.filter((each) => each.project === project).map(({ record }) => record);
    for (let at = 0; at < own.length; at += 100)
      await ledger.record(projects[project] as ProjectId, own.slice(at, at + 100));
  }
});
afterAll(() => database.close());

const groupOf: Record<SumGroup, (each: Written) => string | null> = {
  project: ({ project }) => projects[project] as string,
  meter: ({ record }) => record.meter,
  key: ({ record }) => record.keyId,
  model: ({ record }) => record.dimensions["model"] ?? null,
  deployment: ({ record }) => record.dimensions["deployment"] ?? null,
  run: () => null,
  dataset: () => null,
  hardware: () => null,
  user: () => null,
  service: () => null,
};

const unitMs = { minute: 60_000, hour, day: 24 * hour };

/** The same sums, event by event. */
function rawSums(question: Omit<UsageQuestion, "limit">): ReadonlyMap<string, { events: number; quantity: Big }> {
  const sums = new Map<string, { events: number; quantity: Big }>();
  for (const each of written) {
    const { record } = each;
    const isAsked =
      question.projectIds.includes(projects[each.project] as ProjectId) &&
      record.time >= question.from &&
      record.time < question.to &&
      (question.meter === null || record.meter === question.meter) &&
      (question.keyIds === undefined || (record.keyId !== null && question.keyIds.includes(record.keyId)));
    if (!isAsked) continue;
    const { window } = question;
    const at = record.time.getTime();
    const windowStart =
      window === null
        ? null
        : window === "month"
          ? Date.UTC(record.time.getUTCFullYear(), record.time.getUTCMonth())
          : Math.floor(at / unitMs[window]) * unitMs[window];
    const key = JSON.stringify([windowStart, record.meter, ...question.groups.map((group) => groupOf[group](each))]);
    const sum = sums.get(key) ?? { events: 0, quantity: new Big(0) };
    sums.set(key, { events: sum.events + 1, quantity: sum.quantity.plus(String(record.quantity)) });
  }
  return sums;
}

describe("sumUsage", () => {
  test("[MET30] for any span, window, groups, keys and projects the sums are those of the single events", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          from: fc.oneof(
            fc.nat(spanMs),
            fc.nat(11).map((hours) => hours * hour),
          ),
          length: fc.integer({ min: 1, max: spanMs }),
          window: fc.constantFrom("minute", "hour", "day", "month", null),
          groups: fc.uniqueArray(fc.constantFrom<SumGroup>("project", "meter", "key", "model", "deployment"), {
            maxLength: 4,
          }),
          meter: fc.constantFrom("service.requests", null),
          keyIds: fc.constantFrom<readonly KeyId[] | undefined>(undefined, [], ["key_a"], ["key_a", "key_b"]),
          both: fc.boolean(),
        }),
        async ({ from, length, window, groups, meter, keyIds, both }) => {
          const question = {
            projectIds: both ? projects : [projects[0]],
            ...(keyIds === undefined ? {} : { keyIds }),
            from: new Date(start + from),
            to: new Date(start + from + length),
            window,
            groups,
            meter,
          };
          const found = await sumUsage(database.db, { ...question, limit: 10_000 });
          const expected = rawSums(question);
          expect(found.length).toBe(expected.size);
          for (const sum of found) {
            const key = JSON.stringify([sum.windowStart?.getTime() ?? null, sum.meter, ...sum.group]);
            expect([key, sum.events, new Big(sum.quantity).toFixed()]).toEqual([
              key,
              expected.get(key)?.events,
              expected.get(key)?.quantity.toFixed(),
            ]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("[MET30] an event that comes late is in the sums of its own hour", async () => {
    const project = await insertTestProject(database.db, "late");
    const hourOf = async (from: string, to: string) =>
      (
        await sumUsage(database.db, {
          projectIds: [project],
          from: new Date(from),
          to: new Date(to),
          window: null,
          groups: [],
          meter: null,
          limit: 10,
        })
      ).map(({ quantity }) => quantity);
    await ledger.record(project, [eventOf("in time", { time: new Date("2026-03-01T10:30:00Z") })]);
    expect(await hourOf("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z")).toEqual(["1"]);
    await ledger.record(project, [eventOf("late", { time: new Date("2026-03-01T10:59:59.999Z"), quantity: "4" })]);
    expect(await hourOf("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z")).toEqual(["5"]);
    expect(await hourOf("2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z")).toEqual([]);
  });

  test("tells by one row more than it was asked for that there is more", async () => {
    const question = { projectIds: projects, from: new Date(start), to: new Date(start + spanMs) } as const;
    const sums = await sumUsage(database.db, { ...question, window: "hour", groups: [], meter: null, limit: 3 });
    expect(sums.length).toBe(4);
  });
});
