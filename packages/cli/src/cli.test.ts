import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, it, onTestFinished } from "vitest";
import { everyCommand, makeProgram } from "./program.ts";
import { screenOf } from "./terminal/screen.ts";
import { gristmill, start, temporaryFolder } from "./testing/gristmill.ts";

const program = (): Command => {
  const screen = screenOf(process.stdout, { NO_COLOR: "1" });
  const never = (): never => {
    throw new Error("no command runs here");
  };
  return makeProgram(never, never, { out: screen, err: screen });
};

describe("help", () => {
  it("of the whole is as it was reviewed", async () => {
    const { code, stdout, stderr } = await gristmill(["help"]);
    expect([code, stderr]).toEqual([0, ""]);
    await expect(stdout).toMatchFileSnapshot("golden/help.txt");
  });

  it("of each command is as it was reviewed, and has examples", async () => {
    const texts = everyCommand(program())
      .filter((command) => command.commands.length === 0)
      .map((command) => {
        let text = "";
        command.configureOutput({
          writeOut: (part) => {
            text += part;
          },
          getOutHelpWidth: () => 100,
          getOutHasColors: () => false,
        });
        command.outputHelp();
        expect(text, command.name()).toContain("Examples:\n  $ gristmill");
        return text;
      });
    expect(texts.length).toBeGreaterThan(25);
    await expect(texts.join(`\n${"─".repeat(60)}\n\n`)).toMatchFileSnapshot("golden/commands.txt");
  });

  it("names every variable that the server reads", async () => {
    const server = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
    const said = spawnSync(process.execPath, [server, "help"], { encoding: "utf8" });
    const names = new Set(said.stdout.match(/\b(GRISTMILL_[A-Z_]+|DATABASE_URL)\b/g));
    expect(names.size).toBeGreaterThan(5);
    const { stdout } = await gristmill(["help"]);
    for (const name of names) expect(stdout).toContain(name);
  });
});

describe("exit codes", () => {
  it.each([
    [["trian"], "Did you mean train?"],
    [["dataset", "lst"], "Did you mean list?"],
    [["dataset", "list", "--limt", "3"], "Did you mean --limit?"],
    [["train"], "missing required argument 'file'"],
    [["train", "x.json", "--epochs", "0"], "Expected a whole number from 1."],
    [["price", "create", "1", "--meter", "coffee", "--charge", "free"], "Allowed choices are"],
    [["price", "create", "--meter", "service.images", "--charge", "volume"], "needs its tiers"],
    [["price", "create", "--meter", "service.images"], "An amount is missing"],
    [["price", "create", "1", "--meter", "service.images", "--tier", "rest=1"], "--tier goes with"],
    [["usage", "--from", "yesterday"], "Expected a time such as"],
    [["usage", "chart", "--by", "colour"], "Allowed choices are"],
    [["budget", "create", "b", "5"], "For whom?"],
    [["budget", "update", "bud_1"], "Nothing to change"],
    [["member", "invite", "a@example.com", "--role", "king"], "Allowed choices are owner, admin"],
    [["event", "send"], "An event needs a --type"],
    [["event", "send", "--type", "t", "--data", "{"], "expected JSON, received {"],
    [["audit", "list", "--action", "key.made"], "Expected an action such as"],
    [["audit", "verify", "--kept", "12"], "Expected NUMBER:HASH"],
    [["dataset", "create", "x", "--split", "train"], "expected NAME=IMAGES,LABELS"],
  ])("a wrong command line, %j, is 2 and says what was meant", async (args, text) => {
    const { code, stdout, stderr } = await gristmill(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(text);
  });

  it("a platform that does not run is 1, with the way to start it", async () => {
    const { code, stderr } = await gristmill(["run", "list", "--url", "http://127.0.0.1:2", "--key", "k"]);
    expect(code).toBe(1);
    expect(stderr).toContain("No Gristmill answers at http://127.0.0.1:2");
    expect(stderr).toContain("gristmill up");
  });

  it("no key anywhere is 1; programs get the failure as JSON", async () => {
    const { code, stdout, stderr } = await gristmill(["run", "list", "--json"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "cli.no_key" } });
  });

  it("status is 1 when nothing runs", async () => {
    const { code, stdout } = await gristmill(["status", "--json", "--url", "http://127.0.0.1:2"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ready: false, url: "http://127.0.0.1:2" });
  });
});

/** A busy machine takes its time to start a process. */
const patience = { timeout: 20_000 };

/** The other side of the wire until the test ends: answers each path with its JSON. */
async function answering(answers: Readonly<Record<string, unknown>>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(
      `${request.method} ${request.url} ${request.headers.authorization} ${request.headers["gristmill-project"] ?? "-"}`,
    );
    const path = `${request.url}`.split("?")[0] ?? "";
    const body = answers[`${request.method} ${path}`] ?? answers[path];
    request.resume().on("end", () => {
      if (typeof body === "string") {
        response.writeHead(200, { "content-type": "text/event-stream" }).write(body);
        return;
      }
      response
        .writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" })
        .end(JSON.stringify(body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const list = (...data: { id: string; name: string }[]) => ({
  object: "list",
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: false,
});
const project = {
  id: "prj_1",
  object: "project",
  name: "vision",
  description: "",
  created_at: "2026-01-31T09:30:00.000Z",
  archived_at: null,
};

describe("output", () => {
  it("is a table for people and a line of JSON an item for programs", async () => {
    const { url } = await answering({ "/api/projects": list(project, { ...project, id: "prj_2", name: "speech" }) });
    const env = { GRISTMILL_URL: url, GRISTMILL_KEY: "k" };
    const people = await gristmill(["project", "list"], env);
    expect(people.stdout).toMatch(/name +id +state +created/);
    expect(people.stdout).toContain("  vision   prj_1   active   2026-01-31 09:30");
    const programs = await gristmill(["--json", "project", "list"], env);
    expect(
      programs.stdout
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(["prj_1", "prj_2"]);
  });

  it("has colours when they are forced, and none in a file", async () => {
    const { url } = await answering({ "/api/projects": list(project) });
    const env = { GRISTMILL_URL: url, GRISTMILL_KEY: "k" };
    expect((await gristmill(["project", "list"], env)).stdout).not.toContain("\x1b");
    expect((await gristmill(["project", "list"], { ...env, FORCE_COLOR: "1" })).stdout).toContain("\x1b[1m");
  });
});

describe("the connection", () => {
  it("flags win over variables, variables over the home", async () => {
    const home = await temporaryFolder();
    await writeFile(join(home, "admin-key"), "from-home\n");
    const { url, asked } = await answering({ "/api/projects": list() });
    const base = { GRISTMILL_HOME: home, GRISTMILL_URL: url };
    await gristmill(["project", "list"], base);
    await gristmill(["project", "list"], { ...base, GRISTMILL_KEY: "from-variable" });
    await gristmill(["project", "list", "--key", "from-flag", "--project", "vision"], {
      ...base,
      GRISTMILL_KEY: "from-variable",
    });
    expect(asked.map((line) => line.split(" ").slice(2))).toEqual([
      ["Bearer", "from-home", "-"],
      ["Bearer", "from-variable", "-"],
      ["Bearer", "from-flag", "vision"],
    ]);
  });

  it("finds the server that was started on the home, and forgets one whose process is gone", async () => {
    const home = await temporaryFolder();
    const { url } = await answering({ "/api/projects": list(project) });
    const record = { pid: process.pid, startTime: null, url };
    await writeFile(join(home, "server.json"), JSON.stringify(record));
    const env = { GRISTMILL_HOME: home, GRISTMILL_KEY: "k", GRISTMILL_PORT: "2" };
    expect((await gristmill(["project", "list"], env)).stdout).toContain("vision");
    await writeFile(join(home, "server.json"), JSON.stringify({ ...record, startTime: "1" }));
    const gone = await gristmill(["project", "list"], env);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("http://127.0.0.1:2");
  });
});

describe("a limit that is reached", () => {
  const refusal = (code: string, details: object) => ({
    error: {
      code,
      message: "No room.",
      help: "Slow down.",
      retryable: code === "limit.exceeded",
      request_id: "r",
      details,
    },
  });
  const refusing = async (times: number, body: object): Promise<string> => {
    let calls = 0;
    const server = createServer((request, response) => {
      const isRefused = calls++ < times;
      request.resume().on("end", () => {
        response.writeHead(isRefused ? 429 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(isRefused ? body : list()));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("is waited out, and the wait is told; programs are not told", async () => {
    const body = refusal("limit.exceeded", { limit_id: "lim_1", retry_after_ms: 2100 });
    const env = { GRISTMILL_KEY: "k" };
    const people = await gristmill(["project", "list"], { ...env, GRISTMILL_URL: await refusing(1, body) });
    expect(people).toMatchObject({ code: 0, stderr: "  No room. Trying again in 2.1s.\n" });
    const programs = await gristmill(["project", "list", "--json"], { ...env, GRISTMILL_URL: await refusing(1, body) });
    expect(programs).toMatchObject({ code: 0, stderr: "" });
  });

  it("of money is shown at once, with what raises it", async () => {
    const details = { budget: "bud_1", amount: "10", spent: "10", reserved: "0", period_end: null };
    const url = await refusing(9, refusal("budget.exceeded", details));
    const { code, stderr } = await gristmill(["project", "list"], { GRISTMILL_KEY: "k", GRISTMILL_URL: url });
    expect(code).toBe(1);
    expect(stderr).toMatch(/✗ No room\.\n +█+ {2}100\.0 %/);
    expect(stderr).toContain("Raise it: gristmill budget update bud_1 --amount AMOUNT");
  });
});

describe("Ctrl-C", () => {
  const run = { id: "run_1", name: "first", status: "running", checkpoint: null, finished_at: null };
  const queued = `id: 1\nevent: run.queued\ndata: ${JSON.stringify({ id: 1, type: "run.queued", at: "x", data: {} })}\n\n`;
  const files = async (): Promise<string> => {
    const file = join(await temporaryFolder(), "spec.json");
    await writeFile(file, JSON.stringify({ layers: [] }));
    return file;
  };

  it("during train cancels the run and says so; a second one leaves at once", async () => {
    const answers = {
      "POST /api/runs": run,
      "/api/runs/run_1/events": queued,
      "/api/runs/run_1/cancel": run,
      "/api/runs/run_1": run,
    };
    const { url, asked } = await answering(answers);
    const call = start(["train", await files(), "--dataset", "d"], { GRISTMILL_URL: url, GRISTMILL_KEY: "k" });
    await call.said("Ctrl-C cancels it");
    await expect.poll(() => asked.some((line) => line.includes("/events")), patience).toBe(true);
    call.child.kill("SIGINT");
    await call.said("Cancelling first (run_1)");
    await expect.poll(() => asked.some((line) => line.startsWith("POST /api/runs/run_1/cancel")), patience).toBe(true);
    call.child.kill("SIGINT");
    expect((await call.outcome).code).toBe(130);
  });

  it("during run watch leaves the run alone", async () => {
    const { url, asked } = await answering({ "/api/runs/run_1/events": queued, "/api/runs/run_1": run });
    const call = start(["run", "watch", "run_1"], { GRISTMILL_URL: url, GRISTMILL_KEY: "k" });
    await expect.poll(() => asked.some((line) => line.includes("/events")), patience).toBe(true);
    call.child.kill("SIGINT");
    const { code, stderr } = await call.outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("The run goes on: gristmill run watch run_1");
    expect(asked.some((line) => line.startsWith("POST"))).toBe(false);
  });
});

it("restore and backup are the server's own: a missing file is its failure, and its exit code ours", async () => {
  const home = await temporaryFolder();
  const { code, stderr } = await gristmill(["restore", "/nonexistent/x.tar", "--home", join(home, "new")]);
  expect(code).not.toBe(0);
  expect(stderr).not.toBe("");
});
