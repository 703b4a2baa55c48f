import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { isAlive } from "./home.ts";

/** As the server writes it. */
function startTimeOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

it("a process that ends while it is looked at is not alive, and no failure", async () => {
  const watched = Array.from({ length: 60 }, async (_, index) => {
    // Waits for its input until it is killed.
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    const { pid = 0 } = child;
    const record = { pid, startTime: startTimeOf(pid), url: "http://127.0.0.1:1" };
    expect(await isAlive(record)).toBe(true);
    void sleep(10 + index).then(() => child.kill("SIGKILL"));
    while (await isAlive(record));
  });
  await Promise.all(watched);
});
