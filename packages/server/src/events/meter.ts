/** @file A project's own meter. */
import type { Aggregation, ProjectId } from "@gristmill/contract";

/** What counts the events of one type, and how. It never changes: what it has counted would mean something else. */
export interface Meter {
  /** "mtr_…". */
  readonly id: string;
  readonly projectId: ProjectId;
  readonly name: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  /** null: a count. */
  readonly valueProperty: string | null;
  readonly unit: string;
  /** Name to pointer. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}
