/** @file Names of projects and keys for people; programs get ids. */
import type { UsageReport } from "@gristmill/contract";
import { hasCode } from "@gristmill/sdk";
import type { Connected } from "../session.ts";

/** The name of an id, or the id where it is not known. */
export type NameOf = (id: string) => string;

/** Reads the names of projects (and keys of the project) that the caller may see; a program's output needs none. */
export async function readNames(
  { client, output, signal }: Connected,
  { keys = false }: { readonly keys?: boolean } = {},
): Promise<NameOf> {
  if (output.json) return (id) => id;
  const lists = [client.projects.list({ signal }).all(1000), ...(keys ? [client.keys.list({ signal }).all(1000)] : [])];
  const names = new Map<string, string>();
  for (const list of lists) {
    try {
      for (const { id, name } of await list) names.set(id, name);
    } catch (error) {
      // A key that may read usage need not see other projects: then the ids have to do.
      if (!hasCode(error, "auth.forbidden")) throw error;
    }
  }
  return (id) => names.get(id) ?? id;
}

/** A report whose groups and lines say names. */
export function withNames(report: UsageReport, nameOf: NameOf): UsageReport {
  const named = (group: string, value: string | null): string | null =>
    value !== null && (group === "project" || group === "key") ? nameOf(value) : value;
  return {
    ...report,
    data: report.data.map((row) => ({
      ...row,
      group: Object.fromEntries(Object.entries(row.group).map(([group, value]) => [group, named(group, value)])),
    })),
    lines: report.lines.map((line) => ({ ...line, project_id: nameOf(line.project_id) })),
  };
}
