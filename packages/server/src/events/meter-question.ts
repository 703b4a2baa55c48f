/** @file What is asked of a meter, and the parts of SQL that every answer is made of. */
import type { Aggregation, ProjectId } from "@gristmill/contract";
import { type RawBuilder, sql } from "kysely";
import type { Span, WindowUnit } from "../metering/index.ts";

/** What is asked of a meter. Names of groups and filters are dimensions, or `key`. */
export interface MeterQuestion extends Span {
  readonly projectId: ProjectId;
  readonly meter: string;
  readonly aggregation: Aggregation;
  /** null: one window. */
  readonly window: WindowUnit | null;
  readonly groups: readonly string[];
  readonly filters: Readonly<Record<string, string>>;
  /** Of what is to come, nothing is known yet. */
  readonly now: Date;
  /** Rows at most; one more is answered when there are more. */
  readonly limit: number;
}

/** The keys of an answer, as columns named k0, k1 … and as those names. */
export interface Keys {
  readonly columns: RawBuilder<unknown>;
  readonly names: RawBuilder<unknown>;
}

/** Of an event or of a cell of an hour's sums. */
export const dimension = (name: string): RawBuilder<unknown> =>
  name === "key" ? sql`key_id` : sql`dimensions ->> ${name}::text`;

/** `and …` of whose they are, and of the filters. */
export const narrowed = ({ projectId, meter, filters }: MeterQuestion): RawBuilder<unknown> =>
  sql`project_id = ${projectId} and meter = ${meter} ${sql.join(
    Object.entries(filters).map(([name, value]) => sql`and ${dimension(name)} = ${value}`),
    sql` `,
  )}`;
