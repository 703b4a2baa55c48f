import type { Deployment, Revision } from "@gristmill/contract";
import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";
import { progressOf } from "./deployments.ts";

const revision = (number: number): Revision => ({
  id: `rev_${number}`,
  revision: number,
  model: "digits",
  model_version: number,
  model_version_id: `mdv_${number}`,
  sha256: "",
  threads: 1,
  batching: { max_batch_size: 1, max_delay_ms: 0, max_queue: 1 },
  generation: null,
  upstreams: null,
  created_at: "2026-01-01T00:00:00Z",
});
const deployment = (status: Deployment["status"], active: number | null, error: string | null = null): Deployment => ({
  id: "dep_1",
  object: "deployment",
  project_id: "prj_1",
  name: "digits",
  status,
  revision: active === null ? null : revision(active),
  revisions: [revision(1), revision(2)],
  desired_replicas: 1,
  replicas: [],
  error: error === null ? null : { code: "engine.failed", message: error },
  created_at: "2026-01-01T00:00:00Z",
});

it("a deployment is done when its newest revision answers, not an older one", () => {
  expect(progressOf(deployment("starting", null))).toBe("going on");
  expect(progressOf(deployment("ready", 1))).toBe("going on");
  expect(progressOf(deployment("degraded", 2))).toBe("going on");
  expect(progressOf(deployment("ready", 2))).toBe("done");
});

it("a newest revision that failed is a failure, although the older one goes on", () => {
  expect(progressOf(deployment("ready", 1, "it did not start"))).toBe("failed");
  expect(progressOf(deployment("failed", null, "it did not start"))).toBe("failed");
  expect(progressOf(deployment("stopping", 2))).toBe("failed");
});

it("waiting ends with the deployment's own failure, or at its time limit", async () => {
  const states = [deployment("starting", 1), deployment("ready", 1, "Revision 2 did not start.")];
  const { baseUrl, received } = await serve((_, response, call) =>
    sendJson(response, 200, states[call - 1] ?? states[0]),
  );
  const { deployments } = new Gristmill({ baseUrl, apiKey: "k" });
  await expect(deployments.waitReady("digits", { pollMs: 1 })).rejects.toMatchObject({
    code: "engine.failed",
    message: "Revision 2 did not start.",
  });
  expect(received).toHaveLength(2);
  await expect(deployments.waitReady("digits", { pollMs: 1, timeoutMs: 20 })).rejects.toMatchObject({
    code: "client.timeout",
  });
});
