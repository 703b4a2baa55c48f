/** @file What a replica's ready time becomes in the ledger. Pure: the same times always make the same events. */
import { dueSlices, type Ledger, type PaidTimeParts, secondsText, type UsageRecord } from "../metering/index.ts";
import type { MeteredReplica } from "./replica-store.ts";

const meter = "deployment.replica_seconds";

const sliceId = (replica: MeteredReplica, slice: number | "probe"): string =>
  `${replica.id}:${replica.starts}:${slice}`;

const dimensionsOf = (replica: MeteredReplica): Record<string, string> => ({
  deployment: replica.deployment,
  model: replica.model,
  revision: String(replica.revision),
  hardware: `cpu-${replica.threads}`,
});

/** How the time of a replica's current start is claimed ahead. */
export const paidTimeOf = (ledger: Ledger, replica: MeteredReplica): PaidTimeParts => ({
  ledger,
  projectId: replica.projectId,
  keyId: null,
  idOf: (slice) => sliceId(replica, slice),
  use: (quantity) => ({ meter, quantity, dimensions: dimensionsOf(replica) }),
});

/**
 * The usage events of a replica's current start that are not recorded yet, up to its last heartbeat. Their ids
 * (`<replica>:<start>:<slice>`) let the ledger tell a repeat.
 * @param isEnd true: the replica has stopped, so its last, partial slice is due too.
 */
export function dueUsage(replica: MeteredReplica, isEnd: boolean): UsageRecord[] {
  const startMs = replica.readyAt.getTime();
  const slices = dueSlices(replica.heartbeatAt.getTime() - startMs, replica.slicesRecorded, isEnd);
  return slices.map(({ index, fromMs, toMs }) => ({
    id: sliceId(replica, index),
    meter,
    quantity: secondsText(toMs - fromMs),
    time: new Date(startMs + toMs),
    admittedAt: new Date(startMs + fromMs),
    requestId: null,
    keyId: null,
    dimensions: dimensionsOf(replica),
  }));
}
