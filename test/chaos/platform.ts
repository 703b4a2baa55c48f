/** @file The platform of the chaos test, its victims, and what is on its ledger at the end. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connectionOf } from "../../packages/server/src/db/embedded/launch.ts";
import { withSession } from "../../packages/server/src/db/index.ts";
import { scaling } from "../../packages/server/src/serving/testing/small-models.ts";
import { type ServerProcess, TestHome } from "../../packages/server/src/testing/server-process.ts";
import { processesOf } from "../e2e/processes.ts";
import type { Count } from "./client.ts";

/** Who is killed. */
export const victims = ["server", "replica", "database"] as const;
export type Victim = (typeof victims)[number];

/** A platform that stays at one address, however often it is killed. */
export class ChaosPlatform {
  readonly url: string;
  readonly #home: TestHome;
  readonly #port: number;
  #server: ServerProcess;

  private constructor(home: TestHome, port: number) {
    this.#home = home;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#server = this.#launch();
  }

  /** Started, with the model "chaos" deployed and the meter "chaos.units". */
  static async create(): Promise<ChaosPlatform> {
    const platform = new ChaosPlatform(await TestHome.create(), await freePort());
    await platform.#server.ready();
    await platform.#call("POST", "/api/models/double/versions", scaling(2), "application/octet-stream");
    await platform.#call("POST", "/api/deployments", { name: "chaos", model: "double", threads: 1 });
    await platform.#call("POST", "/api/meters", {
      name: "chaos.units",
      event_type: "chaos.unit",
      aggregation: "sum",
      value_property: "$.units",
    });
    while ((await platform.#call("GET", "/api/deployments/chaos"))["status"] !== "ready") await sleep(50);
    return platform;
  }

  adminKey(): Promise<string> {
    return this.#home.adminKey();
  }

  /** Ends one of its processes by SIGKILL; a killed server is started again. */
  async kill(victim: Victim): Promise<void> {
    if (victim === "server") {
      this.#server.child.kill("SIGKILL");
      await this.#server.ended;
      this.#server = this.#launch();
      await this.#server.ready();
      return;
    }
    const pid =
      victim === "database"
        ? await this.#home.databasePid()
        : processesOf("serving/replica/main.ts", this.#server.child.pid)[0];
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }

  /** What the ledger has, by its own reports; and what must not be there. */
  async ledger(): Promise<{ readonly counted: Count; readonly faults: readonly string[] }> {
    const usage = (await this.#call("GET", "/api/usage")) as { data: { meter: string; quantity: string }[] };
    const quantity = (meter: string): number => Number(usage.data.find((row) => row.meter === meter)?.quantity ?? 0);
    const faults: string[] = [];
    let events = 0;
    await withSession(connectionOf(await this.#home.places()), async (session) => {
      const number = async (sql: string): Promise<number> =>
        Number((await session.query<{ n: string }>(`select (${sql})::text as n`)).rows[0]?.n);
      events = await number("select count(*) from usage_event where source = 'chaos'");
      const checks = {
        "events without a key, or keys without an event":
          "select count(*) from usage_event_key full join usage_event using (project_id, source, id) where usage_event_key.id is null or usage_event.id is null",
        "events that stand twice":
          "select count(*) from (select from usage_event group by project_id, source, id having count(*) > 1) as twice",
        "sums by the hour that differ from their events": `select count(*) from
          (select project_id, meter, sum(quantity) as q, count(*) as n from usage_event group by 1, 2) as raw
          full join (select project_id, meter, sum(quantity) as q, sum(events) as n from usage_hour group by 1, 2) as hourly
          using (project_id, meter) where raw.q is distinct from hourly.q or raw.n is distinct from hourly.n`,
        "requests that no kept answer names":
          "select count(*) from usage_event as event where meter = 'service.requests' and not exists (select from idempotent_answer as kept where kept.request_id = event.request_id)",
        "claims of requests that nobody works on":
          "select count(*) from reservation where request_id like 'req!_%' escape '!'",
      };
      for (const [fault, sql] of Object.entries(checks)) {
        const found = await number(sql);
        if (found > 0) faults.push(`${found} ${fault}`);
      }
    });
    const counted = {
      requests: quantity("service.requests"),
      rows: quantity("service.images"),
      events,
      units: quantity("chaos.units"),
    };
    return { counted, faults };
  }

  async remove(): Promise<void> {
    await this.#home.remove();
  }

  #launch(): ServerProcess {
    return this.#home.launch({ GRISTMILL_PORT: String(this.#port) });
  }

  async #call(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<Record<string, unknown>> {
    const payload = body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.adminKey()}`,
        ...(body === undefined ? {} : { "content-type": type }),
      },
      ...(body === undefined ? {} : { body: payload }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port is free");
  return address.port;
}
