/** @file A process that trains, to be killed. Its argument: { connection, home } as JSON; it says "ready". */
import { createDatabase, type DatabaseConnection } from "../../db/index.ts";
import { openSite } from "./site.ts";

const { connection, home } = JSON.parse(process.argv[2] ?? "") as { connection: DatabaseConnection; home: string };
const site = await openSite(createDatabase(connection), home);
await site.start();
process.once("disconnect", () => process.exit(1)); // the test is gone
process.send?.("ready");
