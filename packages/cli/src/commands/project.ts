import type { Project } from "@gristmill/contract";
import type { Command } from "commander";
import { formatTime } from "../terminal/words.ts";
import { noun, type OpenSession, verb, withLimit } from "./command.ts";

const facts = (project: Project): [string, string][] => [
  ["name", project.name],
  ["id", project.id],
  ["created", formatTime(project.created_at)],
];

/** `gristmill project` */
export function projectCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List projects", ["gristmill project list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    const projects = await client.projects.list({ signal }).all(limit);
    output.list(
      projects,
      [{ head: "name" }, { head: "id" }, { head: "created" }],
      ({ name, id, created_at }) => [name, id, formatTime(created_at)],
      "No projects.",
    );
  });

  const show = verb("show <project>", "Show a project by name or id", ["gristmill project show default"]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const project = await client.projects.get(name, { signal });
    output.facts(project, () => facts(project));
  });

  const create = verb("create <name>", "Make a project", [
    "gristmill project create vision",
    "gristmill --project vision dataset list",
  ]);
  create.action(async (name: string) => {
    const { client, output, signal } = await open(create).connected();
    const project = await client.projects.create({ name }, { signal });
    output.facts(project, () => facts(project));
  });

  const description = "Projects keep datasets, models, keys and usage apart (admin key only)";
  return noun("project", description, list, show, create);
}
