import { type Role, roleNames, type ServiceAccount } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, withLimit } from "./command.ts";
import { type NameOf, readNames } from "./names.ts";

const stateOf = ({ disabled_at }: ServiceAccount, paint: Paint): string =>
  disabled_at === null ? paint("good", "active") : paint("bad", `disabled ${formatTime(disabled_at)}`);

const roleOf = ({ role, project_id }: ServiceAccount, nameOf: NameOf): string =>
  project_id === null ? role : `${role} in ${nameOf(project_id)}`;

const facts = (account: ServiceAccount, nameOf: NameOf, paint: Paint): [string, string][] => [
  ["name", account.name],
  ["id", account.id],
  ["role", roleOf(account, nameOf)],
  ["state", stateOf(account, paint)],
  ["created", formatTime(account.created_at)],
];

/** `gristmill service-account` */
export function serviceAccountCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List accounts of programs", ["gristmill service-account list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const connected = await open(list).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    output.list(
      await client.serviceAccounts.list({ signal }).all(limit),
      [{ head: "name" }, { head: "id" }, { head: "role" }, { head: "state" }],
      (account) => [account.name, account.id, roleOf(account, nameOf), stateOf(account, output.out.paint)],
      "No service accounts.",
    );
  });

  const create = verb("create <name>", "Make an account for a program; its role bounds its keys", [
    "gristmill service-account create ci --role developer --in vision",
    "gristmill key create ci --service-account ci",
  ])
    .addOption(new Option("--role <role>", "what it may do").choices(roleNames).makeOptionMandatory())
    .option("--in <project>", "in this project alone");
  create.action(async (name: string, { role, in: project }: { role: Role; in?: string }) => {
    const connected = await open(create).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const account = await client.serviceAccounts.create({ name, role, ...given({ project }) }, { signal });
    output.facts(account, () => facts(account, nameOf, output.out.paint));
  });

  const update = verb("update <account>", "Rename an account, change its role, or refuse its keys", [
    "gristmill service-account update sva_01... --disable",
    "gristmill service-account update sva_01... --role viewer",
  ])
    .option("--name <name>", "its new name")
    .addOption(new Option("--role <role>", "what it may do").choices(roleNames))
    .option("--disable", "refuse its keys at once")
    .option("--enable", "take its keys again");
  update.action(async (account: string, flags: { name?: string; role?: Role; disable?: boolean; enable?: boolean }) => {
    const { name, role, disable, enable } = flags;
    if (disable === true && enable === true)
      throw new UsageError("cli.contradiction", "--disable and --enable exclude each other.", "Give one of them.");
    const disabled = disable === true ? true : enable === true ? false : undefined;
    const body = given({ name, role, disabled });
    if (Object.keys(body).length === 0)
      throw new UsageError("cli.nothing_to_change", "Nothing to change.", "See --help for what can be changed.");
    const connected = await open(update).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const changed = await client.serviceAccounts.update(account, body, { signal });
    output.facts(changed, () => facts(changed, nameOf, output.out.paint));
  });

  const remove = verb("delete <account>", "Delete an account; its keys are refused", [
    "gristmill service-account delete sva_01...",
  ]);
  remove.action(async (account: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.serviceAccounts.delete(account, { signal });
    output.result(() => `Deleted ${account}.`, { id: account, deleted: true });
  });

  return noun("service-account", "Accounts of programs: a role that several keys share", list, create, update, remove);
}
