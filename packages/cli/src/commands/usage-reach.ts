/** @file Reports of one project, or of all of an organization. */
import type { UsageReport } from "@gristmill/contract";
import type { UsageOptions } from "@gristmill/sdk";
import type { Command } from "commander";
import type { Connected } from "../session.ts";
import { readNames, withNames } from "./names.ts";
import { organizationId } from "./subject.ts";

/** How far a report reaches. */
export interface Reach {
  readonly allProjects?: boolean;
}

/** `--all-projects` */
export const withReach = (command: Command): Command =>
  command.option("--all-projects", "of the whole organization, archived projects too");

/** Reads the project's report, or the organization's; with names instead of ids for people. */
export async function readReport(
  connected: Connected,
  which: UsageOptions,
  allProjects: boolean,
): Promise<UsageReport> {
  const { client, signal, organization } = connected;
  const read = async (): Promise<UsageReport> => {
    if (!allProjects) return client.usage.report({ ...which, signal });
    const id = await organizationId(client, organization, signal);
    return client.organizations.usage(id, { ...which, signal });
  };
  const keys = which.groupBy?.includes("key") === true;
  const [report, nameOf] = await Promise.all([read(), readNames(connected, { keys })]);
  return withNames(report, nameOf);
}
