/**
 * @file A server for tests of contention: its callers claim, settle and release without end, by the rules of the test's table.
 * Arguments: the database's connection as JSON, a project, how many callers. Prints what should not happen, and "ready".
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ProjectId } from "@gristmill/contract";
import { createDatabase } from "../../db/index.ts";
import { newId } from "../../ids.ts";
import { testOrganizationId } from "../../testing/caller.ts";
import { createMetering } from "../index.ts";
import { eventOf, silent } from "./events.ts";
import { roomPolicy } from "./rooms.ts";

const [connection = "{}", project = "", callers = "8"] = process.argv.slice(2);
const projectId = project as ProjectId;
const db = createDatabase(JSON.parse(connection));
const metering = createMetering({ db, now: () => new Date(), log: silent, policy: roomPolicy, graceMs: 1500 });
await metering.start();
writeSync(1, "ready\n");

/** Numbers from 0 up to, not including, a bound. */
const random = (bound: number): number => Math.floor(Math.random() * bound);

/** Refusals and lost sessions are what the test makes happen. */
const expected: ReadonlySet<string> = new Set(["budget.exceeded", "limit.exceeded", "database.unavailable"]);

async function claimOnce(): Promise<void> {
  const requestId = newId("request");
  const claimed = 1 + random(20);
  const reservation = await metering.ledger.reserve({
    requestId,
    organizationId: testOrganizationId,
    projectId,
    keyId: null,
    estimates: [{ meter: "service.images", quantity: String(claimed), dimensions: {} }],
  });
  if (random(3) === 0) await sleep(random(30));
  const used = random(claimed + 1);
  const event = { meter: "service.images", quantity: String(used), admittedAt: reservation.admittedAt, requestId };
  const end = () =>
    used === 0
      ? metering.ledger.release(reservation)
      : metering.ledger.settle(reservation, [eventOf(`${requestId}:images`, event)]);
  // Whoever does not know whether it was written asks again.
  for (;;) {
    try {
      return await end();
    } catch (error) {
      if (!(error instanceof AppError && error.code === "database.unavailable")) throw error;
      await sleep(20);
    }
  }
}

async function claimForever(): Promise<never> {
  for (;;) {
    try {
      await claimOnce();
    } catch (error) {
      if (!(error instanceof AppError && expected.has(error.code))) writeSync(1, `${String(error)}\n`);
      await sleep(2 + random(10));
    }
  }
}
await Promise.all(Array.from({ length: Number(callers) }, claimForever));
