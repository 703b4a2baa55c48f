/** @file Rules of taking events in and giving them out. */
import { createHash } from "node:crypto";
import type { CloudEvent, EventsQuery, EventsTaken, Page, ProjectId } from "@gristmill/contract";
import type { Ledger, UsageRecord } from "../metering/index.ts";
import { type CheckedEvent, checkEvent, type Problem } from "./cloud-event.ts";
import { countEvent } from "./counting.ts";
import { type EventStore, eventKey } from "./event-store.ts";
import type { Meters } from "./meters.ts";
import type { Quarantine } from "./quarantine.ts";
import type { SentEvent } from "./request-events.ts";
import type { Sender } from "./sender.ts";
import { fromCursor, toCloudEvent, toCursor } from "./wire.ts";

/** Records of one write. */
const recordsPerWrite = 1000;

/** What events are made from. */
export interface EventsDeps {
  readonly ledger: Pick<Ledger, "record">;
  readonly store: EventStore;
  readonly meters: Meters;
  readonly quarantine: Quarantine;
  readonly now: () => Date;
  /** Before this time single events are not kept. */
  readonly oldest: (now: Date) => Date;
}

/** Events of projects. */
export class Events {
  readonly #deps: EventsDeps;

  constructor(deps: EventsDeps) {
    this.#deps = deps;
  }

  /**
   * Puts events on the ledger, each once, and aside what can't be counted. All is durable when this resolves; when it
   * throws, sending the same again is safe.
   * @throws AppError `quarantine.full` before anything is written; `database.unavailable`.
   */
  async take(sender: Sender, sent: readonly SentEvent[]): Promise<EventsTaken> {
    const { quarantine } = this.#deps;
    const { good, bad } = await this.#sort(sender, sent);
    const quarantined = await quarantine.add(
      sender,
      bad.map(({ text, problem }) => ({ text, fingerprint: createHash("sha256").update(text).digest(), problem })),
    );
    const accepted = await this.#record(sender.projectId, good);
    return {
      object: "events.taken",
      accepted,
      duplicates: good.length - accepted,
      quarantined: bad.map(({ index, problem }, place) => ({ index, id: quarantined[place] ?? "", ...problem })),
    };
  }

  /** Counts one event that waited as if it came now; answers with what is still wrong with it. Counted before, it changes nothing. */
  async recount(sender: Sender, value: unknown): Promise<Problem | undefined> {
    const { good, bad } = await this.#sort(sender, [{ value, text: "" }]);
    await this.#record(sender.projectId, good);
    return bad[0]?.problem;
  }

  /** A page of events as CloudEvents; `last_id` is where the next begins. */
  async list(projectId: ProjectId, query: EventsQuery): Promise<Page<CloudEvent>> {
    const after = query.after === undefined ? undefined : fromCursor(query.after);
    const rows = await this.#deps.store.page(projectId, query, after);
    const page = rows.slice(0, query.limit);
    const [first, last] = [page[0], page.at(-1)];
    return {
      object: "list",
      data: page.map(toCloudEvent),
      first_id: first === undefined ? null : toCursor(first),
      last_id: last === undefined ? null : toCursor(last),
      has_more: rows.length > query.limit,
    };
  }

  /** Writes events, the records of one together; how many were new. An event is known by its first record. */
  async #record(projectId: ProjectId, events: readonly Good[]): Promise<number> {
    const { ledger, store } = this.#deps;
    const several = events.flatMap(({ event, records }) => (records.length > 1 ? [event] : []));
    // A meter that was made since would count what was counted before without it.
    const seen = new Set(await store.known(projectId, several));
    const fresh = events.filter(({ event }) => {
      const key = eventKey(event);
      return seen.has(key) ? false : seen.add(key);
    });
    let accepted = 0;
    for (const records of inWrites(fresh.map((each) => each.records))) {
      const repeated = new Set(await ledger.record(projectId, records));
      for (const record of records) if (record.original !== undefined && !repeated.has(record)) accepted++;
    }
    return accepted;
  }

  async #sort(sender: Sender, sent: readonly SentEvent[]): Promise<{ good: Good[]; bad: Bad[] }> {
    const { meters, now, oldest } = this.#deps;
    const at = now();
    const bounds = { now: at, oldest: oldest(at) };
    const checked = sent.map(({ value }) => checkEvent(value, bounds));
    const types = new Set(checked.flatMap((event) => ("code" in event ? [] : [event.type])));
    const byType = types.size === 0 ? new Map() : await meters.byType(sender.projectId, types);
    const good: Good[] = [];
    const bad: Bad[] = [];
    for (const [index, event] of checked.entries()) {
      const text = sent[index]?.text ?? "";
      if ("code" in event) {
        bad.push({ index, text, problem: event });
        continue;
      }
      const counted = countEvent(event, byType.get(event.type) ?? [], sender.keyId);
      if ("code" in counted) bad.push({ index, text, problem: counted });
      else good.push({ event, records: counted });
    }
    return { good, bad };
  }
}

/** Records in lists that the ledger takes at once; those of one event are never parted. */
function* inWrites(events: readonly (readonly UsageRecord[])[]): Generator<readonly UsageRecord[]> {
  let write: UsageRecord[] = [];
  for (const records of events) {
    if (write.length + records.length > recordsPerWrite) {
      yield write;
      write = [];
    }
    write.push(...records);
  }
  if (write.length > 0) yield write;
}

interface Good {
  readonly event: CheckedEvent;
  readonly records: readonly UsageRecord[];
}

interface Bad {
  readonly index: number;
  readonly text: string;
  readonly problem: Problem;
}
