/** @file Reports of one project, or of all of an organization. */
import type { UsageReport } from "@gristmill/contract";
import type { UsageOptions } from "@gristmill/sdk";
import type { Command } from "commander";
import type { Connected } from "../session.ts";
import { organizationId } from "./subject.ts";

/** How far a report reaches. */
export interface Reach {
  readonly allProjects?: boolean;
}

/** `--all-projects` */
export const withReach = (command: Command): Command =>
  command.option("--all-projects", "of the whole organization, archived projects too");

/** Reads the project's report, or the organization's. */
export async function readReport(
  { client, signal, organization }: Connected,
  which: UsageOptions,
  allProjects: boolean,
): Promise<UsageReport> {
  if (!allProjects) return client.usage.report({ ...which, signal });
  const id = await organizationId(client, organization, signal);
  return client.organizations.usage(id, { ...which, signal });
}
