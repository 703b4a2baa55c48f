import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { isAlive } from "./home.ts";

/** As the server writes it. */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

it("a process that ends while it is looked at is not alive, and no failure", async () => {
  const watched = Array.from({ length: 60 }, async (_, index) => {
    const child = spawn("sleep", [`0.${10 + (index % 20)}`], { stdio: "ignore" });
    const { pid = 0 } = child;
    const record = { pid, startTime: await startTimeOf(pid), url: "http://127.0.0.1:1" };
    let looks = 0;
    while (await isAlive(record)) looks++;
    return looks;
  });
  const looks = await Promise.all(watched);
  expect(looks.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(60);
});
