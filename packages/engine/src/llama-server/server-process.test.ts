import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EngineRunError } from "../errors.ts";
import { startServerProcess } from "./server-process.ts";

const calm = new AbortController().signal;
const shell = (script: string, environment = {}) => startServerProcess("/bin/sh", ["-c", script], environment);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // Nobody has this number.
    return false;
  }
}

describe("the process of a server", () => {
  it("finds what it writes, wherever the text is cut", async () => {
    const server = await shell("printf 'listening on :' >&2; sleep 0.1; echo 80 >&2; sleep 60");
    expect(await server.find((output) => /:(\d+)\n/.exec(output)?.[1], calm)).toBe("80");
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it("tells its last lines when it ends before it listens", async () => {
    const server = await shell("echo cannot read the model >&2; exit 3");
    const found = server.find(() => undefined, calm);
    await expect(found).rejects.toThrow(EngineRunError);
    await expect(found).rejects.toThrow(/ended with 3 .*cannot read the model/);
  });

  it("is killed when it does not end by itself", async () => {
    const server = await shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
    await server.find((output) => (output.includes("up") ? true : undefined), calm);
    await server.stop(50);
    expect(await server.exited).toBe("SIGKILL");
  });

  it("ends when this process is killed", async () => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, "testing", "parent.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it("sees no variables of ours but those that programs need", async () => {
    process.env["GRISTMILL_TEST_SECRET"] = "secret";
    const server = await shell("env; echo end", { LLAMA_API_KEY: "key" });
    const seen = await server.find((output) => (output.includes("end\n") ? output : undefined), calm);
    delete process.env["GRISTMILL_TEST_SECRET"];
    expect(seen).toContain("LLAMA_API_KEY=key");
    expect(seen).not.toContain("secret");
  });

  it("that does not exist is told by its path", async () => {
    await expect(startServerProcess("/nowhere/llama-server", [], {})).rejects.toThrow(
      "/nowhere/llama-server can't be started",
    );
  });

  it("ends the search when the caller leaves", async () => {
    const server = await shell("sleep 60");
    await expect(server.find(() => undefined, AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
    await server.stop();
  });
});
