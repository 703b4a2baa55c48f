import type { Organization } from "@gristmill/contract";
import type { Command } from "commander";
import { formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, withLimit } from "./command.ts";

const facts = (organization: Organization): [string, string][] => [
  ["name", organization.name],
  ["shown as", organization.display_name ?? "–"],
  ["id", organization.id],
  ["created", formatTime(organization.created_at)],
];

/** `gristmill org` */
export function orgCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List the organizations that you belong to", ["gristmill org list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.organizations.list({ signal }).all(limit),
      [{ head: "name" }, { head: "shown as" }, { head: "id" }, { head: "created" }],
      ({ name, display_name, id, created_at }) => [name, display_name ?? "–", id, formatTime(created_at)],
      "No organizations.",
    );
  });

  const show = verb("show <organization>", "Show an organization by name or id", ["gristmill org show acme"]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const organization = await client.organizations.get(name, { signal });
    output.facts(organization, () => facts(organization));
  });

  const create = verb("create <name>", "Make an organization, with a project `default` (admin key only)", [
    "gristmill org create acme --display-name 'Acme, Inc.'",
    "gristmill --organization acme member invite ada@example.com --role owner",
  ]).option("--display-name <text>", "as people read it");
  create.action(async (name: string, { displayName }: { displayName?: string }) => {
    const { client, output, signal } = await open(create).connected();
    const organization = await client.organizations.create(
      { name, ...given({ display_name: displayName }) },
      { signal },
    );
    output.facts(organization, () => facts(organization));
  });

  const update = verb("update <organization>", "Change how an organization is shown", [
    "gristmill org update acme --display-name 'Acme Ltd'",
  ]).requiredOption("--display-name <text>", "as people read it; empty for none");
  update.action(async (name: string, { displayName }: { displayName: string }) => {
    const { client, output, signal } = await open(update).connected();
    const body = { display_name: displayName === "" ? null : displayName };
    const organization = await client.organizations.update(name, body, { signal });
    output.facts(organization, () => facts(organization));
  });

  return noun("org", "Organizations: who pays; each holds projects and members", list, show, create, update);
}
