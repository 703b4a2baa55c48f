/**
 * @file node-llama-cpp 3.22 tries each of its binaries in a process of its own before it loads one, lest a wrong one end
 * the host. A replica is such a process already and may start no other (children/README.md), so its test is left out here.
 */
import { registerHooks } from "node:module";

const tested = /\/node-llama-cpp\/dist\/bindings\/utils\/testBindingBinary\.js$/;

/** For the rest of the process; before node-llama-cpp is loaded for the first time. */
export function leaveOutBinaryTest(): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (!tested.test(url)) return nextLoad(url, context);
      return {
        format: "module",
        source: "export const testBindingBinary = async () => true;",
        shortCircuit: true,
      };
    },
  });
}
