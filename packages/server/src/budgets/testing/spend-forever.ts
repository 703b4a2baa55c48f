/**
 * @file A server for tests of kills: its callers claim and use images until the budget refuses, and go on asking.
 * Arguments: the database's connection as JSON, a project. Prints "ready", and what should not happen.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ProjectId } from "@gristmill/contract";
import { createDatabase } from "../../db/index.ts";
import { eventOf, reserve, testPlatform } from "./platform.ts";

const [connection = "{}", project = ""] = process.argv.slice(2);
const projectId = project as ProjectId;
const platform = await testPlatform(createDatabase(JSON.parse(connection)), 50, 1500);
writeSync(1, "ready\n");

const expected: ReadonlySet<string> = new Set(["budget.exceeded", "database.unavailable"]);

async function spendOnce(): Promise<void> {
  const claimed = 1 + Math.floor(Math.random() * 3000);
  const reservation = await reserve(platform, { projectId, quantity: claimed });
  await sleep(Math.random() * 20);
  const quantity = Math.floor(Math.random() * (claimed + 1));
  const { ledger } = platform.metering;
  await (quantity === 0
    ? ledger.release(reservation)
    : ledger.settle(reservation, [eventOf(reservation, { quantity })]));
}

async function spendForever(): Promise<never> {
  for (;;) {
    await spendOnce().catch((error: unknown) => {
      if (!(error instanceof AppError && expected.has(error.code))) writeSync(1, `${String(error)}\n`);
    });
    await sleep(5);
  }
}
await Promise.all(Array.from({ length: 6 }, spendForever));
