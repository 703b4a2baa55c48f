/** @file Cuts the time for which a replica was ready into usage events. Pure: the same times always make the same events. */
import type { UsageRecord } from "../metering/index.ts";
import type { MeteredReplica } from "./store.ts";

/** Length of a full slice. */
export const sliceMs = 60_000;
/** The first one is short, so that what runs is on the bill within seconds. */
export const firstSliceMs = 5_000;

/** Where a slice begins, in milliseconds since the replica was ready. */
const beginMs = (slice: number): number => (slice === 0 ? 0 : firstSliceMs + (slice - 1) * sliceMs);

/**
 * The usage events of a replica's current start that are not recorded yet, up to its last heartbeat. Their ids
 * (`<replica>:<start>:<slice>`) let the ledger tell a repeat.
 * @param isEnd true: the replica has stopped, so its last, partial slice is due too.
 */
export function dueSlices(replica: MeteredReplica, isEnd: boolean): UsageRecord[] {
  const startMs = replica.readyAt.getTime();
  const endMs = replica.heartbeatAt.getTime();
  const records: UsageRecord[] = [];
  for (let slice = replica.slicesRecorded; ; slice++) {
    const fromMs = startMs + beginMs(slice);
    const fullMs = startMs + beginMs(slice + 1);
    const toMs = Math.min(fullMs, endMs);
    if (toMs <= fromMs || (!isEnd && toMs < fullMs)) return records;
    records.push({
      id: `${replica.id}:${replica.starts}:${slice}`,
      meter: "deployment.replica_seconds",
      quantity: secondsText(toMs - fromMs),
      time: new Date(toMs),
      admittedAt: new Date(fromMs),
      requestId: null,
      keyId: null,
      dimensions: {
        deployment: replica.deployment,
        model: replica.model,
        revision: String(replica.revision),
        hardware: `cpu-${replica.threads}`,
      },
    });
  }
}

/** Milliseconds as exact seconds: 1500 → "1.500". */
const secondsText = (milliseconds: number): string =>
  `${Math.floor(milliseconds / 1000)}.${String(milliseconds % 1000).padStart(3, "0")}`;
