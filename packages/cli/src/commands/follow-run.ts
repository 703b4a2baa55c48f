import type { Run } from "@gristmill/contract";
import { GristmillError, hasCode } from "@gristmill/sdk";
import type { Session } from "../session.ts";
import { runOutcome, watchRun } from "../terminal/run-progress.ts";

/**
 * Shows a run until it ends; JSON: each event, then the run.
 * @param owns this command started it: Ctrl-C cancels it. Else it goes on without us.
 * @throws GristmillError with the run's own code when it failed.
 */
export async function followRun(session: Session, run: Run, { owns }: { owns: boolean }): Promise<void> {
  const { client, output, signal } = await session.connected();
  const view = output.json ? undefined : watchRun(output.err, run.name);
  let ended: Run;
  try {
    ended = await client.runs.wait(run.id, {
      signal,
      onEvent: (event) => {
        if (view === undefined) return output.result(() => "", event);
        view.event(event);
        if (event.type === "run.paused")
          output.note(`${run.name} is paused, its budget has no room. Raise it, then: gristmill run resume ${run.id}`);
      },
    });
  } catch (error) {
    view?.stop();
    if (!signal.aborted) throw error;
    if (owns) await cancelAndWait(session, run);
    else output.note(`The run goes on: gristmill run watch ${run.id}`);
    throw error;
  }
  view?.stop();
  output.result(() => runOutcome(ended, output.out.paint), ended);
  if (ended.status === "succeeded") return;
  throw new GristmillError(ended.error?.message ?? `The run was ${ended.status}.`, {
    code: ended.error?.code ?? `run.${ended.status}`,
    help: `See \`gristmill run show ${run.id}\`.`,
  });
}

/** Cancels the run; a second Ctrl-C ends the process, and the run is cancelled all the same. */
async function cancelAndWait(session: Session, run: Run): Promise<void> {
  const { output } = session;
  const client = await session.client();
  output.note(`Cancelling ${run.name} (${run.id}). Ctrl-C again leaves at once.`);
  try {
    await client.runs.cancel(run.id);
  } catch (error) {
    // It ended by itself in this very moment: nothing is left to cancel.
    if (!hasCode(error, "run.finished")) throw error;
  }
  const { status, checkpoint } = await client.runs.wait(run.id);
  const kept = checkpoint === null ? "" : ` Its checkpoint of epoch ${checkpoint.epoch} is kept.`;
  output.note(`${run.name} is ${status}.${kept}`);
}
