/** @file Admission: limits, allowances and what claims hold of them; what each event costs by; sums by the hour. */
import { admitSql } from "./admission/admit.ts";
import { roomsSql } from "./admission/rooms.ts";
import { serversSql } from "./admission/servers.ts";
import { settleSql } from "./admission/settle.ts";
import type { Migration } from "./migration.ts";

/**
 * The ledger's two writes decide over a whole group of claims or settlements in one round trip. Every transaction locks in
 * the same order, so that none waits in a circle: rules (shared), event keys, sums by the hour, reservations, allowances,
 * rate windows; within each by key.
 */
export const admission: Migration = {
  name: "0010-admission",
  up: [roomsSql, admitSql, settleSql, serversSql].join(""),
};
