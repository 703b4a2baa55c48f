/**
 * @file A process for the kill test: settles requests with eight callers at once, and prints each event's id when, and only
 * when, its settlement is acknowledged. Arguments: the database's connection as JSON, a project, a number to start at.
 */
import { writeSync } from "node:fs";
import type { ProjectId, RequestId } from "@gristmill/contract";
import { createDatabase } from "../../db/index.ts";
import { createMetering } from "../index.ts";
import { claimOf, eventOf, silent } from "./events.ts";

const [connection = "{}", project = "", start = "0"] = process.argv.slice(2);
const projectId = project as ProjectId;
const metering = createMetering({ db: createDatabase(JSON.parse(connection)), now: () => new Date(), log: silent });
await metering.start();

let next = Number(start);
async function settleForever(): Promise<never> {
  for (;;) {
    const requestId = `req_${String(next++).padStart(26, "0")}` as RequestId;
    const reservation = await metering.ledger.reserve(claimOf(projectId, requestId));
    await metering.ledger.settle(reservation, [eventOf(`${requestId}:requests`), eventOf(`${requestId}:images`)]);
    // Synchronous, so that what the parent reads is what this process knew when it died.
    writeSync(1, `${requestId}\n`);
  }
}
await Promise.all(Array.from({ length: 8 }, settleForever));
