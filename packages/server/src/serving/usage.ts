/** @file What a replica's ready time becomes in the ledger. Pure: the same times always make the same events. */
import { dueSlices, secondsText, type UsageRecord } from "../metering/index.ts";
import type { MeteredReplica } from "./replica-store.ts";

/**
 * The usage events of a replica's current start that are not recorded yet, up to its last heartbeat. Their ids
 * (`<replica>:<start>:<slice>`) let the ledger tell a repeat.
 * @param isEnd true: the replica has stopped, so its last, partial slice is due too.
 */
export function dueUsage(replica: MeteredReplica, isEnd: boolean): UsageRecord[] {
  const startMs = replica.readyAt.getTime();
  const slices = dueSlices(replica.heartbeatAt.getTime() - startMs, replica.slicesRecorded, isEnd);
  return slices.map(({ index, fromMs, toMs }) => ({
    id: `${replica.id}:${replica.starts}:${index}`,
    meter: "deployment.replica_seconds",
    quantity: secondsText(toMs - fromMs),
    time: new Date(startMs + toMs),
    admittedAt: new Date(startMs + fromMs),
    requestId: null,
    keyId: null,
    dimensions: {
      deployment: replica.deployment,
      model: replica.model,
      revision: String(replica.revision),
      hardware: `cpu-${replica.threads}`,
    },
  }));
}
