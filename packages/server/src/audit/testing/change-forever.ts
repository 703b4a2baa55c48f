/**
 * @file A process for the kill test: makes changes with eight callers at once, each a row of `test_change`, and prints a
 * change's request when, and only when, it is answered. Arguments: the database's connection as JSON, a project, a number to
 * start at.
 */
import { writeSync } from "node:fs";
import type { ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import { createDatabase } from "../../db/index.ts";
import { newId } from "../../ids.ts";
import { createMetering } from "../../metering/index.ts";
import { testCaller } from "../../testing/caller.ts";
import { createAudit } from "../index.ts";

const [connection = "{}", project = "", start = "0"] = process.argv.slice(2);
const db = createDatabase(JSON.parse(connection));
const log = { info: () => {}, warn: () => {}, error: () => {} };
const now = () => new Date();
const metering = createMetering({ db, now, log });
await metering.start();
const audit = createAudit({ ground: { now, newId, log }, db, instance: () => metering.instance() });
await audit.start();

let next = Number(start);
async function changeForever(): Promise<never> {
  for (;;) {
    const requestId = `req_${String(next++).padStart(26, "0")}` as RequestId;
    const change = {
      action: "run.created" as const,
      caller: testCaller(project as ProjectId),
      requestId,
      path: "/api/runs",
      body: { name: requestId, secret: "never" },
      address: "127.0.0.1",
    };
    await audit.trail.around(change, async () => {
      await sql`insert into test_change (request_id) values (${requestId})`.execute(db);
      return { body: { id: requestId } };
    });
    // Synchronous, so that what the parent reads is what this process knew when it died.
    writeSync(1, `${requestId}\n`);
  }
}
await Promise.all(Array.from({ length: 8 }, changeForever));
