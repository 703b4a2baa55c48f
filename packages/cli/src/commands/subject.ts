/** @file Whom a limit or a budget is for: `--key ID`, a project, or the whole organization. */
import type { BudgetSubject } from "@gristmill/contract";
import type { Gristmill } from "@gristmill/sdk";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Connected } from "../session.ts";
import type { NameOf } from "./names.ts";

/** Whom the options name. */
export interface SubjectFlags {
  readonly forKey?: string;
  readonly forProject?: string;
  readonly forOrganization?: boolean;
}

/** The three options, of which one is to be given. */
export const withSubject = (command: Command): Command =>
  command
    .option("--for-key <id>", "for one key")
    .option("--for-project <project>", "for a project, by name or id")
    .option("--for-organization", "for the whole organization");

/** @throws UsageError unless exactly one is named. */
export function checkSubject({ forKey, forProject, forOrganization }: SubjectFlags): void {
  if ([forKey !== undefined, forProject !== undefined, forOrganization === true].filter(Boolean).length !== 1)
    throw new UsageError(
      "cli.no_subject",
      "For whom? Expected one of --for-key, --for-project and --for-organization.",
      "Such as --for-project default.",
    );
}

/** Asks for the id that a name stands for. */
export async function subjectOf(
  { client, organization, signal }: Connected,
  { forKey, forProject }: SubjectFlags,
): Promise<BudgetSubject> {
  if (forKey !== undefined) return { type: "key", id: forKey };
  if (forProject !== undefined) return { type: "project", id: (await client.projects.get(forProject, { signal })).id };
  return { type: "organization", id: await organizationId(client, organization, signal) };
}

/** Id of the organization that was asked for, else of the caller's own. */
export async function organizationId(
  client: Gristmill,
  organization: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (organization !== undefined) return (await client.organizations.get(organization, { signal })).id;
  const all = await client.organizations.list({ signal, order: "asc" }).all(100);
  // The admin key sees all, and acts in `default` unless told otherwise; everyone else sees their own.
  const own = all.find(({ name }) => name === "default") ?? all[0];
  if (own !== undefined) return own.id;
  throw new UsageError("cli.no_organization", "No organization is yours.", "Give one by --organization.");
}

/** "project vision", "key key_…", "organization" */
export const subjectText = ({ type, id }: BudgetSubject, nameOf: NameOf): string =>
  type === "organization" ? type : `${type} ${nameOf(id)}`;
