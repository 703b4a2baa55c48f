import { expect, test } from "vitest";
import { insertTestProject, testDatabase } from "../testing/database.ts";
import { createMetering } from "./index.ts";

test("smoke", async () => {
  const { db, close } = await testDatabase();
  const project = await insertTestProject(db);
  const m = createMetering({ db, now: () => new Date(), log: console });
  await m.start();
  const r = await m.ledger.reserve({ requestId: "req_1", projectId: project, keyId: null, estimates: [] });
  const e = {
    id: "req_1:requests",
    meter: "service.requests",
    quantity: "1",
    time: new Date(),
    admittedAt: r.admittedAt,
    requestId: r.requestId,
    keyId: null,
    dimensions: { model: "a" },
  } as const;
  await m.ledger.settle(r, [e]);
  await m.ledger.settle(r, [e]);
  await m.stop();
  await close();
});
