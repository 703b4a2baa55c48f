/** @file The entry of a replica process: one model, one engine, one queue. */
import { childMain } from "../../children/child-main.ts";
import { leaveOutBinaryTest } from "./binary-test.ts";
import { toFailure } from "./failure.ts";
import { loadLanguageModel } from "./language-model.ts";
import type { MainMessage, ReplicaMessage, ReplicaStart } from "./protocol.ts";
import { Replica } from "./replica.ts";
import type { ServedModel } from "./served-model.ts";
import { loadTensorModel } from "./tensor-model.ts";

let replica: Replica | undefined;

childMain({
  async start(message, main) {
    try {
      replica = new Replica(main, await load(message as ReplicaStart));
    } catch (error) {
      main.finish([{ type: "refused", failure: toFailure(error) }] satisfies ReplicaMessage[]);
    }
  },
  message(message) {
    for (const one of message as readonly MainMessage[]) replica?.take(one);
  },
  async close() {
    await replica?.close();
  },
});

async function load(start: ReplicaStart): Promise<ServedModel> {
  const { settings } = start;
  if (settings.engine === "onnx") return await loadTensorModel(start, settings);
  leaveOutBinaryTest();
  return await loadLanguageModel(start, settings);
}
