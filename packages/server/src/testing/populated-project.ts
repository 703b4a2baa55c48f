/** @file A project with one of everything that a path can name, made over the API, for tests that try every route on it. */
import { setTimeout as sleep } from "node:timers/promises";
import { idxImages, idxLabels } from "../data/testing/idx-files.ts";
import type { Http } from "../http/index.ts";
import { scaling } from "../serving/testing/small-models.ts";
import { signInTestPerson } from "../sign-in/testing/people.ts";

/** What stands for each parameter of a path: the name or id of a real resource. */
export type Named = Readonly<Record<string, string>>;

/** Makes them in the project `default` of the organization `default`. */
export async function populate(http: Http, adminKey: string): Promise<Named> {
  const call = async (method: "GET" | "POST", url: string, payload?: unknown, type?: string) => {
    const answer = await http.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(type === undefined ? {} : { "content-type": type }),
      },
      ...(payload === undefined ? {} : { payload: payload as object }),
    });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.json();
  };
  const organization = (await call("GET", "/api/organizations")).data[0].id;
  const project = (await call("GET", "/api/projects")).data[0].id;
  const { userId: user } = await signInTestPerson(http, { adminKey, role: "viewer" });
  const { id: invitation } = await call("POST", "/api/invitations", { email: "new@example.com", role: "viewer" });
  const { id: service_account } = await call("POST", "/api/service-accounts", { name: "robot", role: "developer" });
  const { id: key } = await call("POST", "/api/keys", { name: "a key" });
  const subject = { type: "key", id: key };
  const { id: limit } = await call("POST", "/api/limits", { subject, metric: "requests_per_minute", value: 10 });
  const budgets = { name: "a budget", subject, amount: "10", period: "month", hard: true };
  const { id: budget } = await call("POST", "/api/budgets", budgets);
  const { id: webhook } = await call("POST", "/api/webhooks", { name: "a hook", url: "https://hooks.example.com/x" });
  await call("POST", "/api/meters", { name: "jobs.done", event_type: "job", aggregation: "count" });
  const event = { specversion: "1.0", id: "1", source: "s", type: "nothing counts it" };
  const sent = await call("POST", "/api/events", JSON.stringify(event), "application/cloudevents+json");
  const { data: quarantined } = await call("GET", "/api/quarantine");
  if (sent.quarantined.length !== 1) throw new Error("the event was not set aside");
  await call("POST", "/api/models/double/versions", Buffer.from(scaling(2)), "application/octet-stream");
  await call("POST", "/api/deployments", { name: "doubles", model: "double", threads: 1 });
  const upstream = { name: "elsewhere", base_url: "https://models.example.com/v1", model: "large" };
  await call("POST", "/api/upstreams", upstream);
  await upload(call);
  const spec = {
    inputShape: [2, 2, 1],
    layers: [{ type: "flatten" }, { type: "dense", units: 10, activation: "softmax" }],
  };
  const { id: run } = await call("POST", "/api/runs", { dataset: "digits", test_split: null, spec });
  while ((await call("GET", "/api/deployments/doubles")).status !== "ready") await sleep(20);
  while ((await call("GET", `/api/runs/${run}`)).finished_at === null) await sleep(20);
  // No language model: the response fails, and is there.
  const { id: response } = await call("POST", "/v1/responses", { model: "doubles", input: "x", background: true });
  return {
    organization,
    project,
    user,
    invitation,
    service_account,
    key,
    limit,
    budget,
    webhook,
    meter: "jobs.done",
    event: quarantined[0].id,
    model: "double",
    version: "1",
    deployment: "doubles",
    upstream: "elsewhere",
    dataset: "digits",
    run,
    response,
  };
}

async function upload(call: (method: "POST", url: string, payload: unknown, type: string) => Promise<unknown>) {
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name: "digits", format: "idx" }));
  form.append("train.images", new Blob([new Uint8Array(idxImages(4, 2, 2))]));
  form.append("train.labels", new Blob([new Uint8Array(idxLabels([0, 1, 2, 9]))]));
  const body = new Response(form);
  await call("POST", "/api/datasets", Buffer.from(await body.arrayBuffer()), body.headers.get("content-type") ?? "");
}
