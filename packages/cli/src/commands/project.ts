import type { Project, UpdateProject } from "@gristmill/contract";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, withLimit } from "./command.ts";

const stateOf = ({ archived_at }: Project, paint: Paint): string =>
  archived_at === null ? paint("good", "active") : paint("faint", `archived ${formatTime(archived_at)}`);

const facts = (project: Project, paint: Paint): [string, string][] => [
  ["name", project.name],
  ["id", project.id],
  ["organization", project.organization_id],
  ["state", stateOf(project, paint)],
  ...(project.description === "" ? [] : [["description", project.description] as [string, string]]),
  ["created", formatTime(project.created_at)],
];

/** `gristmill project` */
export function projectCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List projects", ["gristmill project list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.projects.list({ signal }).all(limit),
      [{ head: "name" }, { head: "id" }, { head: "state" }, { head: "created" }],
      (project) => [project.name, project.id, stateOf(project, output.out.paint), formatTime(project.created_at)],
      "No projects.",
    );
  });

  const show = verb("show <project>", "Show a project by name or id", ["gristmill project show default"]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const project = await client.projects.get(name, { signal });
    output.facts(project, () => facts(project, output.out.paint));
  });

  const create = verb("create <name>", "Make a project", [
    "gristmill project create vision --description 'Cameras of the warehouse'",
    "gristmill --project vision dataset list",
  ]).option("--description <text>", "what it is for");
  create.action(async (name: string, { description }: { description?: string }) => {
    const { client, output, signal } = await open(create).connected();
    const project = await client.projects.create({ name, ...given({ description }) }, { signal });
    output.facts(project, () => facts(project, output.out.paint));
  });

  const update = verb("update <project>", "Rename or describe a project, or take it back from the archive", [
    "gristmill project update vision --name sight",
    "gristmill project update sight --restore",
  ])
    .option("--name <name>", "its new name; everything finds it by its id too")
    .option("--description <text>", "what it is for")
    .option("--restore", "take it back from the archive");
  update.action(async (name: string, flags: { name?: string; description?: string; restore?: boolean }) => {
    const body: UpdateProject = {
      ...given({ name: flags.name, description: flags.description }),
      ...(flags.restore === true ? { archived: false as const } : {}),
    };
    if (Object.keys(body).length === 0)
      throw new UsageError("cli.nothing_to_change", "Nothing to change.", "Give --name, --description or --restore.");
    const { client, output, signal } = await open(update).connected();
    const project = await client.projects.update(name, body, { signal });
    output.facts(project, () => facts(project, output.out.paint));
  });

  const archive = verb("archive <project>", "Refuse a project's keys from now on; its data and usage stay", [
    "gristmill project archive vision",
  ]);
  archive.action(async (name: string) => {
    const { client, output, signal } = await open(archive).connected();
    const project = await client.projects.archive(name, { signal });
    output.result(() => `Archived ${project.name}; back: gristmill project update ${project.name} --restore`, project);
  });

  const description = "Projects keep datasets, models, keys and usage apart";
  return noun("project", description, list, show, create, update, archive);
}
