import { type Invitation, type Member, type Role, roleNames, roles, scopes, scopesOf } from "@gristmill/contract";
import { type Command, Option } from "commander";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, withLimit } from "./command.ts";
import { joinCommand } from "./login.ts";
import { type NameOf, readNames } from "./names.ts";

interface RoleFlags {
  readonly role: Role;
  readonly in?: string;
}

const roleOption = (): Option =>
  new Option("--role <role>", "what they may do").choices(roleNames).makeOptionMandatory();
const inOption = "--in <project>";

const rolesOf = ({ role, projects }: Member, nameOf: NameOf): string =>
  [
    ...(role === null ? [] : [role]),
    ...projects.map(({ project_id, role: inProject }) => `${inProject} in ${nameOf(project_id)}`),
  ].join(", ") || "–";

const invitedAs = ({ role, project_id }: Invitation, nameOf: NameOf): string =>
  project_id === null ? role : `${role} in ${nameOf(project_id)}`;

function stateOf(invitation: Invitation, paint: Paint): string {
  if (invitation.accepted_at !== null) return paint("good", `accepted ${formatTime(invitation.accepted_at)}`);
  const isOver = Date.parse(invitation.expires_at) <= Date.now();
  return isOver ? paint("bad", "expired") : `open to ${formatTime(invitation.expires_at)}`;
}

/** Scopes down, roles across: a full circle holds in an organization and in a project, a ring in an organization alone. Pure. */
export function rolesText(paint: Paint): string {
  const rows = scopes
    .filter((scope) => scope !== "admin")
    .map((scope) => [
      scope,
      ...roleNames.map((role) => {
        if (scopesOf(role, "project").includes(scope)) return paint("good", "●");
        return scopesOf(role, "organization").includes(scope) ? paint("accent", "○") : "";
      }),
    ]);
  return [
    table([{ head: "scope" }, ...roleNames.map((head) => ({ head }))], rows, paint),
    `  ${paint("good", "●")} wherever the role is held   ${paint("accent", "○")} only when it is held in the whole organization`,
  ].join("\n");
}

/** `gristmill member` */
export function memberCommand(open: OpenSession): Command {
  const list = withLimit(
    verb("list", "List members and their roles", ["gristmill member list", "gristmill member list --in vision"]).option(
      inOption,
      "only who has a role of its own in this project",
    ),
  );
  list.action(async ({ limit, in: project }: { limit: number; in?: string }) => {
    const connected = await open(list).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    output.list(
      await client.members.list({ signal, ...given({ project }) }).all(limit),
      [{ head: "name" }, { head: "e-mail" }, { head: "role" }, { head: "id" }, { head: "since" }],
      (member) => [member.name, member.email, rolesOf(member, nameOf), member.id, formatTime(member.created_at)],
      "No members. Invite one: gristmill member invite ada@example.com --role developer",
    );
  });

  const invite = verb("invite <email>", "Invite somebody; the token is shown this once and holds 7 days", [
    "gristmill member invite ada@example.com --role developer",
    "gristmill member invite bob@example.com --role viewer --in vision",
  ])
    .addOption(roleOption())
    .option(inOption, "to this project alone instead of the whole organization");
  invite.action(async (email: string, { role, in: project }: RoleFlags) => {
    const { client, output, signal } = await open(invite).connected();
    const made = await client.invitations.create({ email, role, ...given({ project }) }, { signal });
    output.facts(made, () => [
      ["token", output.out.paint("strong", made.token)],
      ["e-mail", made.email],
      ["role", project === undefined ? made.role : `${made.role} in ${project}`],
      ["id", made.id],
      ["holds to", formatTime(made.expires_at)],
    ]);
    if (!output.json) output.note(`Send them the token: gristmill member join TOKEN --name "..."`);
  });

  const invitations = withLimit(verb("invitations", "List invitations", ["gristmill member invitations"]));
  invitations.action(async ({ limit }: { limit: number }) => {
    const connected = await open(invitations).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    output.list(
      await client.invitations.list({ signal }).all(limit),
      [{ head: "e-mail" }, { head: "role" }, { head: "state" }, { head: "id" }],
      (one) => [one.email, invitedAs(one, nameOf), stateOf(one, output.out.paint), one.id],
      "No invitations.",
    );
  });

  const withdraw = verb("withdraw <invitation>", "Make an invitation's token worthless", [
    "gristmill member withdraw inv_01...",
  ]);
  withdraw.action(async (id: string) => {
    const { client, output, signal } = await open(withdraw).connected();
    await client.invitations.withdraw(id, { signal });
    output.result(() => `Withdrew ${id}.`, { id, withdrawn: true });
  });

  const update = verb("update <user>", "Give a member another role", [
    "gristmill member update usr_01... --role admin",
    "gristmill member update usr_01... --role developer --in vision",
  ])
    .addOption(roleOption())
    .option(inOption, "in this project alone");
  update.action(async (user: string, { role, in: project }: RoleFlags) => {
    const connected = await open(update).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const member = await client.members.update(user, { role }, { signal, ...given({ project }) });
    output.facts(member, () => [
      ["name", member.name],
      ["e-mail", member.email],
      ["role", rolesOf(member, nameOf)],
    ]);
  });

  const remove = verb("remove <user>", "Take a member's role away; their keys end with it", [
    "gristmill member remove usr_01...",
  ])
    .alias("delete")
    .option(inOption, "in this project alone");
  remove.action(async (user: string, { in: project }: { in?: string }) => {
    const { client, output, signal } = await open(remove).connected();
    await client.members.remove(user, { signal, ...given({ project }) });
    output.result(() => `Removed ${user}.`, { id: user, removed: true });
  });

  const all = verb("roles", "Show what each role may do", ["gristmill member roles"]);
  all.action(() => {
    const { output } = open(all);
    output.result(() => rolesText(output.out.paint), roles);
  });

  const join = joinCommand(open);
  return noun(
    "member",
    "Members of the organization, their roles and invitations",
    list,
    invite,
    join,
    invitations,
    withdraw,
    update,
    remove,
    all,
  );
}
