/** @file examples/chat.ts as a user runs it, on a platform that it starts and stops. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Home } from "../e2e/platform.ts";

const paths = JSON.parse(process.env["GRISTMILL_TEST_MODELS"] ?? "{}") as Record<string, string>;

test.each(Object.entries(paths))("%s chats, calls a tool and fills a schema in the example", async (_, path) => {
  const home = new Home();
  try {
    const script = join(import.meta.dirname, "..", "..", "examples", "chat.ts");
    const env = { ...process.env, GRISTMILL_HOME: home.path, GRISTMILL_PORT: "0" };
    const { stdout } = await promisify(execFile)(process.execPath, [script, "--model", path], { env });
    expect(stdout).toMatch(/\d+ tokens read, \d+ written/);
    expect(stdout).toMatch(/weather\(\{"city":"[^"]*","country":"[^"]*"\}\)/);
    expect(stdout).toMatch(/\{"city":"[^"]*","country":"[^"]*"\}\n/);
    expect(stdout).toContain("service.output_tokens");
  } finally {
    home.remove();
  }
});
