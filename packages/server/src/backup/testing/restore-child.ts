/** @file A restore in a process of its own, to be killed. Says "there" at the share of the work that it was told, and waits. */
import type { DatabaseConnection } from "../../db/index.ts";
import { fileObjectStore } from "../../objects/index.ts";
import { restore } from "../restore.ts";

/** What a test tells it. */
export interface RestoreChildTask {
  readonly connection: DatabaseConnection;
  readonly objects: string;
  readonly file: string;
  /** Share of the work after which it waits for ever. */
  readonly until: number;
}

const task = JSON.parse(process.argv[2] ?? "") as RestoreChildTask;
const store = await fileObjectStore(task.objects);
await restore({
  connection: task.connection,
  file: task.file,
  onProgress: (done, total) => {
    if (done / total < task.until) return;
    console.log("there");
    // A process that does nothing more, as one that is about to be killed: only its death ends this.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  objects: store,
});
