/** @file Serves the new version; an older one answers until it is ready. */
import { type Gristmill, hasCode } from "@gristmill/sdk";
import { name } from "../network.ts";
import type { Stage } from "../stage.ts";

/** Resolves when the version answers. */
export async function deploy(stage: Stage, client: Gristmill, version: number): Promise<void> {
  const { signal } = stage;
  const model = `${name}@${version}`;
  try {
    await client.deployments.create({ name, model }, { signal });
  } catch (error) {
    if (!hasCode(error, "deployment.name_taken")) throw error;
    await client.deployments.update(name, { model }, { signal });
  }
  const ready = await client.deployments.waitReady(name, { signal, pollMs: 100 });
  const pids = ready.replicas.map(({ pid }) => pid).join(", ");
  stage.done(`${model} is served by revision ${ready.revision?.revision}, process ${pids}`);
}
