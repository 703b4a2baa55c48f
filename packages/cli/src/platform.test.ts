import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { gristmill, start } from "./testing/gristmill.ts";
import { makePlace, type Place } from "./testing/place.ts";

const minute = 60_000;

/** A home until the test ends. */
async function place(): Promise<Place["env"]> {
  const { env, leave } = await makePlace();
  onTestFinished(leave);
  return env;
}

it("up --detach leaves a platform that the command finds by its home, until down", { timeout: minute }, async () => {
  const env = await place();
  const up = await gristmill(["up", "--detach", "--json"], env);
  expect(up, up.stderr).toMatchObject({ code: 0 });
  const { url, pid } = JSON.parse(up.stdout) as { url: string; pid: number };
  expect(url).toBe(`http://127.0.0.1:${env.GRISTMILL_PORT}`);
  expect((await stat(env.GRISTMILL_HOME)).mode & 0o777).toBe(0o700);

  // Without GRISTMILL_PORT: the home alone says where it is and with which key.
  const projects = await gristmill(["project", "list"], { GRISTMILL_HOME: env.GRISTMILL_HOME });
  expect(projects.stdout).toContain("default");
  const second = await gristmill(["up"], env);
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toContain(`runs on ${env.GRISTMILL_HOME} already: ${url}`);

  const down = await gristmill(["down", "--json"], env);
  expect(JSON.parse(down.stdout)).toMatchObject({ stopped: true, pid });
  // Gone, or a zombie where nothing reaps orphans.
  expect(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z ")).toContain(") Z ");
  expect(JSON.parse((await gristmill(["down", "--json"], env)).stdout)).toMatchObject({ stopped: false });
});

it("up in the foreground hands its signals to the platform and ends with its exit code", {
  timeout: minute,
}, async () => {
  const env = await place();
  const up = start(["up"], env);
  await up.said("Gristmill is ready");
  expect((await gristmill(["status"], env)).stdout).toContain("ready");
  up.child.kill("SIGINT");
  const { code, stdout } = await up.outcome;
  expect([code, stdout.includes("Stopping")]).toEqual([0, true]);
  expect((await gristmill(["status"], env)).code).toBe(1);
});

it("up --detach tells the platform's last words when it does not start", { timeout: minute }, async () => {
  const env = await place();
  const other = createServer((_, response) => response.end("another program"));
  await new Promise<void>((resolve) => other.listen(Number(env.GRISTMILL_PORT), "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { code, stderr } = await gristmill(["up", "--detach"], env);
  expect(code).toBe(1);
  expect(stderr).toContain("ended before it was ready");
  expect(stderr).toContain("port.in_use");
});
