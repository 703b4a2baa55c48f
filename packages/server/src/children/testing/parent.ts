/** @file A main for tests that gets killed: starts one probe in the folder given, tells its process id, and stays. */
import { createChildren } from "../children.ts";

const [folder, entry, deed] = process.argv.slice(2);
if (folder === undefined || entry === undefined) throw new Error("usage: parent.ts FOLDER ENTRY [block]");
const silent = (): void => undefined;
const children = createChildren({
  folder,
  now: () => new Date(),
  log: { info: silent, warn: silent, error: silent },
});
const child = await children.start({ name: "replica rpl_test", entry, readPaths: [], writePaths: [], start: 1 });
child.onMessage((message) => {
  if (deed === undefined || Object.hasOwn(message as object, "blocking")) console.log(child.pid);
});
if (deed !== undefined) child.send({ do: deed });
