import type { RunStatus } from "@gristmill/contract";
import { expect, it } from "vitest";
import { changeOf, deathLimit, type Ending, retryDelayMs } from "./ending.ts";
import type { RunRow } from "./store.ts";

const rowWith = (more: Partial<RunRow>): RunRow => ({
  id: "run_1",
  project_id: "prj_1",
  key_id: null,
  request_id: null,
  name: "a",
  status: "running",
  dataset_id: "dst_1",
  dataset_version_id: "dsv_1",
  dataset_sha256: "",
  request: {} as RunRow["request"],
  plan: {} as RunRow["plan"],
  labels: {},
  progress: null,
  history: [],
  evaluation: null,
  checkpoint: { epoch: 2, sha256: "ab", size_bytes: 3 },
  model_version: null,
  error: null,
  attempts: 1,
  deaths: 0,
  not_before: new Date(0),
  threads: 2,
  owner: "me",
  heartbeat_at: null,
  attempt_started_at: null,
  attempt_ms: "1500",
  earlier_ms: "500",
  slices_recorded: 1,
  last_event: 4,
  created_at: new Date(0),
  started_at: null,
  finished_at: null,
  ...more,
});
const died: Ending = { kind: "died", how: "was killed by SIGKILL", lastLines: "oops" };

it("[RUN9] counts deaths in a row, waits longer after each, and gives up at the limit", () => {
  for (let deaths = 0; deaths < deathLimit - 1; deaths++) {
    const change = changeOf(rowWith({ deaths }), died);
    expect(change?.set).toMatchObject({ status: "queued", deaths: deaths + 1, owner: null });
    expect(change?.events).toMatchObject([
      { type: "run.queued", data: { last_lines: "oops", wait_ms: 1000 * 2 ** deaths } },
    ]);
  }
  const last = changeOf(rowWith({ deaths: deathLimit - 1 }), died);
  expect(last?.set).toMatchObject({ status: "failed" });
  expect(last?.events).toMatchObject([
    { type: "run.failed", data: { error: { code: "run.worker_died", details: { last_lines: "oops" } } } },
  ]);
  expect(retryDelayMs(100)).toBe(30_000);
});

it("[RUN17] a server that stops is no death, and leaves the count of deaths as it was", () => {
  const change = changeOf(rowWith({ deaths: 2 }), { kind: "interrupted", reason: "the server stops" });
  expect(change?.set).toMatchObject({ status: "queued", deaths: 2 });
});

it("[RUN12] an attempt's time goes to the earlier ones, whatever its end", () => {
  const endings: Ending[] = [died, { kind: "finished", modelVersion: null }, { kind: "interrupted", reason: "" }];
  for (const ending of endings)
    expect(changeOf(rowWith({}), ending)?.set).toMatchObject({ earlier_ms: 2000, attempt_ms: 0, slices_recorded: 0 });
});

it("[RUN10] a death or a stop while cancelling is a cancellation, with the checkpoint that stays", () => {
  for (const ending of [died, { kind: "stopped" }, { kind: "interrupted", reason: "" }] satisfies Ending[]) {
    const change = changeOf(rowWith({ status: "cancelling" }), ending);
    expect(change?.set).toMatchObject({ status: "cancelled" });
    expect(change?.events).toEqual([
      { type: "run.cancelled", data: { checkpoint: { epoch: 2, sha256: "ab", size_bytes: 3 } } },
    ]);
  }
});

it("[RUN1] nothing becomes of a run that has ended", () => {
  for (const status of ["succeeded", "failed", "cancelled"] satisfies RunStatus[])
    expect(changeOf(rowWith({ status }), died)).toBeUndefined();
});
