/** @file Rows of stored responses. Each is kept for 30 days. */
import type { OpenaiResponse, ResponseInputItem, ResponseStatus } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../../../db/index.ts";
import type { SecretBox } from "../../../secrets/index.ts";

const kept = sql`created_at > now() - interval '30 days'`;

/** A response with what was asked. */
export interface StoredResponse {
  readonly response: OpenaiResponse;
  readonly input: readonly ResponseInputItem[];
}

/** A response of a conversation, as far as it is known without opening it. */
export interface Link {
  readonly id: string;
  readonly previousId: string | null;
  readonly model: string;
  readonly status: ResponseStatus;
  /** Of this one and all that come after it. */
  readonly bytes: number;
}

interface Row {
  readonly id: string;
  readonly status: ResponseStatus;
  readonly sealed: Buffer;
}

/** What is told of a response whose server ended before it did. */
const interrupted = { code: "server_error", message: "The server ended before the response did." };

/** Stored responses. */
export class ResponseStore {
  readonly #db: Database;
  readonly #secrets: SecretBox;

  constructor(db: Database, secrets: SecretBox) {
    this.#db = db;
    this.#secrets = secrets;
  }

  /** Writes a response. False: there is one of that id, of the same request that was sent again, and it stays. */
  async insert(projectId: string, stored: StoredResponse): Promise<boolean> {
    const { id, previous_response_id, model, status, background } = stored.response;
    const sealed = this.#seal(projectId, stored);
    const { numAffectedRows } = await sql`
      insert into response (id, project_id, previous_id, model, status, is_background, sealed, size_bytes)
      values (${id}, ${projectId}, ${previous_response_id}, ${model}, ${status}, ${background}, ${sealed}, ${sealed.length})
      on conflict (id) do nothing`.execute(this.#db);
    return numAffectedRows === 1n;
  }

  /** A response that was queued has begun. */
  async begin(projectId: string, id: string): Promise<void> {
    await sql`
      update response set status = 'in_progress'
      where project_id = ${projectId} and id = ${id} and status = 'queued'`.execute(this.#db);
  }

  /** A response under way has ended. Nothing happens when it is gone, or had ended before. */
  async end(projectId: string, stored: StoredResponse): Promise<void> {
    const { id, status } = stored.response;
    const sealed = this.#seal(projectId, stored);
    await sql`
      update response set status = ${status}, sealed = ${sealed}, size_bytes = ${sealed.length}
      where project_id = ${projectId} and id = ${id} and status in ('queued', 'in_progress')`.execute(this.#db);
  }

  /** A response that has not ended, and that nobody writes, is cancelled. */
  async abandon(projectId: string, id: string): Promise<void> {
    await sql`
      update response set status = 'cancelled'
      where project_id = ${projectId} and id = ${id} and status in ('queued', 'in_progress')`.execute(this.#db);
  }

  async find(projectId: string, id: string): Promise<StoredResponse | undefined> {
    return (await this.findAll(projectId, [id]))[0];
  }

  /** Those of the ids that are there, in the order of the ids. */
  async findAll(projectId: string, ids: readonly string[]): Promise<readonly StoredResponse[]> {
    const { rows } = await sql<Row>`
      select id, status, sealed from response
      where project_id = ${projectId} and id = any (${ids}::text[]) and ${kept}`.execute(this.#db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => {
      const row = byId.get(id);
      return row === undefined ? [] : [this.#open(projectId, row)];
    });
  }

  /** A response and those before it, newest first, until `maxBytes` or `maxLinks` are passed. */
  async chain(projectId: string, id: string, maxLinks: number, maxBytes: number): Promise<readonly Link[]> {
    const { rows } = await sql<Omit<Link, "bytes"> & { bytes: string }>`
      with recursive chain as (
        select id, previous_id, model, status, size_bytes::numeric as bytes, 1 as depth from response
        where project_id = ${projectId} and id = ${id} and ${kept}
        union all
        select response.id, response.previous_id, response.model, response.status, chain.bytes + response.size_bytes,
          chain.depth + 1
        from chain join response on response.id = chain.previous_id and response.project_id = ${projectId} and ${kept}
        where chain.depth <= ${maxLinks} and chain.bytes <= ${maxBytes}
      )
      select id, previous_id as "previousId", model, status, bytes::text from chain order by depth`.execute(this.#db);
    return rows.map(({ bytes, ...link }) => ({ ...link, bytes: Number(bytes) }));
  }

  async delete(projectId: string, id: string): Promise<void> {
    await sql`delete from response where project_id = ${projectId} and id = ${id}`.execute(this.#db);
  }

  /** Responses that a killed server had begun are failed ones. Returns how many. Every server is the only one of its database. */
  async failInterrupted(): Promise<number> {
    const { numAffectedRows } = await sql`
      update response set status = 'failed' where status in ('queued', 'in_progress')`.execute(this.#db);
    return Number(numAffectedRows ?? 0);
  }

  /** Removes up to `limit` that are too old. Returns how many. */
  async removeExpired(limit: number): Promise<number> {
    const { numAffectedRows } = await sql`
      delete from response where ctid = any (array(
        select ctid from response where not (${kept}) limit ${limit} for update skip locked))`.execute(this.#db);
    return Number(numAffectedRows ?? 0);
  }

  #seal(projectId: string, stored: StoredResponse): Buffer {
    return this.#secrets.seal(Buffer.from(JSON.stringify(stored)), context(projectId, stored.response.id));
  }

  /** The row's status is the newer one. */
  #open(projectId: string, { id, status, sealed }: Row): StoredResponse {
    const text = this.#secrets.open(sealed, context(projectId, id)).toString();
    const { response, input } = JSON.parse(text) as StoredResponse;
    const error = response.error ?? (status === "failed" ? interrupted : null);
    return { input, response: { ...response, status, error } };
  }
}

const context = (projectId: string, id: string): string => `response ${projectId} ${id}`;
