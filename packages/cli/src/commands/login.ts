import type { CurrentSession } from "@gristmill/contract";
import { Gristmill, hasCode } from "@gristmill/sdk";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import { forgetSession, readSession, saveSession } from "../saved-session.ts";
import type { Session } from "../session.ts";
import { askSecret } from "../terminal/secret-input.ts";
import { type OpenSession, verb } from "./command.ts";

/** GRISTMILL_PASSWORD, else asked for. @throws UsageError when there is none. */
async function passwordOf(session: Session, question: string): Promise<string> {
  const given = session.env["GRISTMILL_PASSWORD"];
  if (given) return given;
  const typed = await askSecret(question, process.stdin, session.output.err, session.signal);
  if (typed !== "") return typed;
  throw new UsageError("cli.no_password", "No password was given.", "Type it, pipe it in, or set GRISTMILL_PASSWORD.");
}

const rolesOf = ({ memberships }: CurrentSession): string =>
  memberships
    .map(
      ({ organization, project, role }) =>
        `${role} of ${project === null ? organization : `${organization}/${project}`}`,
    )
    .join("\n") || "member of nothing";

async function welcome(session: Session, client: Gristmill): Promise<void> {
  const { output, signal } = session;
  const url = await session.url();
  const current = await client.sessions.current({ signal });
  if (client.session !== undefined)
    await saveSession(session.home, { url, email: current.user.email, ...client.session });
  const { csrf_token: _, ...shown } = current;
  output.facts(shown, () => [
    ["signed in", `${current.user.name} (${current.user.email})`],
    ["at", url],
    ["roles", rolesOf(current)],
    ["until", "gristmill logout, 12 hours without use, or 7 days"],
  ]);
}

/** `gristmill login` */
export function loginCommand(open: OpenSession): Command {
  const command = verb("login <email>", "Sign in as a person; the commands that follow act as them", [
    "gristmill login ada@example.com",
    "gristmill login ada@example.com --url https://ai.example.com",
  ]);
  command.action(async (email: string) => {
    const session = open(command);
    const password = await passwordOf(session, `Password of ${email}: `);
    const person = { email, password };
    const client = await Gristmill.signIn({ baseUrl: await session.url() }, person, { signal: session.signal });
    await welcome(session, client);
  });
  return command;
}

/** `gristmill member join` */
export function joinCommand(open: OpenSession): Command {
  const command = verb("join <token>", "Accept an invitation; a new person gives name and password", [
    "gristmill member join inv_... --name 'Ada Lovelace'",
    "gristmill login bob@example.com && gristmill member join inv_...",
  ]).option("--name <name>", "of a new person; left out by who is signed in already");
  command.action(async (token: string, { name }: { name?: string }) => {
    const session = open(command);
    const { signal } = session;
    const url = await session.url();
    if (name !== undefined) {
      const password = await passwordOf(session, "A new password, 12 characters or more: ");
      return await welcome(session, await Gristmill.join({ baseUrl: url }, { token, name, password }, { signal }));
    }
    const saved = await readSession(session.home, url);
    if (saved === undefined)
      throw new UsageError("cli.no_name", "Who joins?", "Give --name as a new person, or `gristmill login` first.");
    await new Gristmill({ baseUrl: url, session: saved }).invitations.accept(token, { signal });
    session.output.result(() => `${saved.email} has joined.`, { email: saved.email, joined: true });
  });
  return command;
}

/** `gristmill logout` */
export function logoutCommand(open: OpenSession): Command {
  const command = verb("logout", "Sign out; commands use the key again", ["gristmill logout"]);
  command.action(async () => {
    const session = open(command);
    const url = await session.url();
    const saved = await readSession(session.home, url);
    await forgetSession(session.home);
    if (saved !== undefined)
      await new Gristmill({ baseUrl: url, session: saved }).sessions
        .signOut({ signal: session.signal })
        .catch((error: unknown) => {
          // Over already: nothing is left to end.
          if (!hasCode(error, "auth.invalid")) throw error;
        });
    const said = saved === undefined ? `Nobody was signed in at ${url}.` : `Signed ${saved.email} out.`;
    session.output.result(() => said, { signed_out: saved !== undefined });
  });
  return command;
}
