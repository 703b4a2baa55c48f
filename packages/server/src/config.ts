/** @file All configuration: flags and environment, one table, parsed and checked once. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { AppError } from "@gristmill/contract";
import { z } from "zod";
import { expandHome, listed, toNetworks, toOrigin, wholeNumber } from "./config-values.ts";

/** One thing that the operator may set. The flag wins over the variable. */
interface Setting<T extends z.ZodType> {
  readonly variable: string;
  /** Without dashes; secrets have none, because every user of a machine can read a process's flags. */
  readonly flag?: string;
  readonly help: string;
  /** Of the text given, or of undefined when nothing was. */
  readonly schema: T;
}

const setting = <T extends z.ZodType>(definition: Setting<T>): Setting<T> => definition;

const settings = {
  home: setting({
    variable: "GRISTMILL_HOME",
    flag: "home",
    help: "Folder of all data. Default: ~/.gristmill",
    schema: z.string().min(1, "expected a folder").default("~/.gristmill").transform(expandHome),
  }),
  host: setting({
    variable: "GRISTMILL_HOST",
    flag: "host",
    help: "Address to listen at; 0.0.0.0 for all. Default: 127.0.0.1",
    schema: z.string().min(1, "expected an address").default("127.0.0.1"),
  }),
  port: setting({
    variable: "GRISTMILL_PORT",
    flag: "port",
    help: "Port to listen at; 0 for any free one. Default: 7070",
    schema: wholeNumber(0, 65_535, "a port from 0 to 65535").default(7070),
  }),
  allowedHosts: setting({
    variable: "GRISTMILL_ALLOWED_HOSTS",
    flag: "allowed-hosts",
    help: "Names, separated by commas, by which clients call the server beside localhost and its addresses",
    schema: z
      .string()
      .default("")
      .transform((text) => listed(text.toLowerCase()))
      .pipe(z.array(z.string().regex(/^[a-z0-9.-]+$/, "expected names such as ai.example.com, without port"))),
  }),
  databaseUrl: setting({
    variable: "DATABASE_URL",
    help: "A PostgreSQL of yours: postgres://user:password@host/database. Default: the embedded one",
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, "expected postgres://user:password@host/database")
      .optional(),
  }),
  adminKey: setting({
    variable: "GRISTMILL_ADMIN_KEY",
    help: "The admin key, 32 characters or more. Default: made at the first start and kept in the home",
    schema: z
      .string()
      .regex(/^\S{32,}$/, "expected 32 characters or more, without spaces")
      .optional(),
  }),
  secretKey: setting({
    variable: "GRISTMILL_SECRET_KEY",
    help: "Encrypts stored credentials, 32 characters or more. Default: made at the first start and kept in the home",
    schema: z
      .string()
      .regex(/^\S{32,}$/, "expected 32 characters or more, without spaces")
      .optional(),
  }),
  publicUrl: setting({
    variable: "GRISTMILL_PUBLIC_URL",
    flag: "public-url",
    help: "Where browsers reach the server, such as https://ai.example.com. Default: as each request says",
    schema: z.string().transform(toOrigin).optional(),
  }),
  allowedAddresses: setting({
    variable: "GRISTMILL_ALLOWED_ADDRESSES",
    flag: "allowed-addresses",
    help: "Private networks, separated by commas, that users' URLs may lead to, such as 10.1.0.0/16. Default: none",
    schema: z.string().default("").transform(toNetworks),
  }),
  smtpUrl: setting({
    variable: "GRISTMILL_SMTP_URL",
    help: "Mail server for alerts: smtp://user:password@host:587, or smtps:// for TLS from the start. Default: no mail",
    schema: z
      .string()
      .refine((text) => /^smtps?:\/\/[^/]/.test(text) && URL.canParse(text), "expected smtp://user:password@host:port")
      .optional(),
  }),
  mailFrom: setting({
    variable: "GRISTMILL_MAIL_FROM",
    flag: "mail-from",
    help: "Sender of mail, such as gristmill@example.com; needed with GRISTMILL_SMTP_URL",
    schema: z.email("expected an e-mail address").optional(),
  }),
  usageRetentionMonths: setting({
    variable: "GRISTMILL_USAGE_RETENTION_MONTHS",
    flag: "usage-retention-months",
    help: "Single usage events are kept so long, their sums for ever; 0: all for ever. Default: 0",
    schema: wholeNumber(0, 1200, "months from 0 to 1200").default(0),
  }),
  logLevel: setting({
    variable: "GRISTMILL_LOG_LEVEL",
    flag: "log-level",
    help: "info, warn or error. Default: info",
    schema: z.enum(["info", "warn", "error"], "expected info, warn or error").default("info"),
  }),
  logTo: setting({
    variable: "GRISTMILL_LOG_TO",
    flag: "log-to",
    help: "file (in the home, rotated) or stdout. Default: file",
    schema: z.enum(["file", "stdout"], "expected file or stdout").default("file"),
  }),
  stopSeconds: setting({
    variable: "GRISTMILL_STOP_SECONDS",
    flag: "stop-seconds",
    help: "How long requests under way may take when the server stops. Default: 10",
    schema: wholeNumber(0, 3600, "seconds from 0 to 3600").default(10),
  }),
} as const;

type Name = keyof typeof settings;

/** What the operator wants, checked. */
export type Config = { readonly [K in Name]: z.output<(typeof settings)[K]["schema"]> };

/** What the process is to do. */
export type Command =
  | { readonly kind: "serve" }
  | { readonly kind: "help" }
  | { readonly kind: "backup" | "restore"; readonly file: string };

/**
 * Reads the command line and the environment.
 * @param args the command line after the script's name.
 * @throws AppError `config.invalid` that names every problem.
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly command: Command; readonly config: Config } {
  const { values, positionals, problems } = parseFlags(args);
  const command = parseCommand(positionals, values["help"] !== undefined, problems);
  const config: Partial<Record<Name, unknown>> = {};
  for (const [name, definition] of entries()) {
    const flag = definition.flag === undefined ? undefined : values[definition.flag];
    // An empty variable is how shells and container files leave one out.
    const text = flag ?? (environment[definition.variable] || undefined);
    const result = definition.schema.safeParse(text);
    if (result.success) config[name] = result.data;
    else {
      const from = flag === undefined ? definition.variable : `--${definition.flag}`;
      problems.push(`${from}: ${result.error.issues[0]?.message ?? "not valid"}`);
    }
  }
  if (config["smtpUrl"] !== undefined && config["mailFrom"] === undefined)
    problems.push("GRISTMILL_MAIL_FROM: expected with GRISTMILL_SMTP_URL: mail needs a sender");
  if (problems.length > 0) throw new AppError("config.invalid", problems.join("\n"), { details: { problems } });
  return { command, config: withPublicHost(config as Config) };
}

/** Who says where browsers reach the server has named a host of it. */
function withPublicHost(config: Config): Config {
  const { publicUrl, allowedHosts } = config;
  if (publicUrl === undefined) return config;
  return { ...config, allowedHosts: [...new Set([...allowedHosts, new URL(publicUrl).hostname])] };
}

/** What `help` prints. */
export function configHelp(): string {
  const rows = entries().map(([, { variable, flag, help }]) => [
    `  ${variable}${flag === undefined ? "" : `, --${flag}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left = ""]) => left.length)) + 2;
  return [
    "The Gristmill server.",
    "",
    "  (nothing)       serve until Ctrl-C",
    "  backup FILE     write database and objects of the home to FILE",
    "  restore FILE    fill an empty home from FILE",
    "  help            show this",
    "",
    "Settings, by environment or flag (the flag wins):",
    ...rows.map(([left = "", help]) => `${left.padEnd(width)}${help}`),
    "",
  ].join("\n");
}

const entries = (): readonly (readonly [Name, Setting<z.ZodType>])[] =>
  Object.entries(settings) as unknown as readonly (readonly [Name, Setting<z.ZodType>])[];

function parseFlags(args: readonly string[]): {
  values: Readonly<Record<string, string | undefined>>;
  positionals: readonly string[];
  problems: string[];
} {
  const known = entries().flatMap(([, { flag }]) => (flag === undefined ? [] : [flag]));
  const options: Record<string, { type: "string" | "boolean" }> = { help: { type: "boolean" } };
  for (const flag of known) options[flag] = { type: "string" };
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems = tokens.flatMap((token) => {
    if (token.kind !== "option") return [];
    if (!Object.hasOwn(options, token.name)) return [`${token.rawName}: there is no such flag`];
    return token.name !== "help" && token.value === undefined ? [`${token.rawName}: expected a value`] : [];
  });
  const texts = Object.entries(values).map(([name, value]) => [name, value === undefined ? undefined : String(value)]);
  return { values: Object.fromEntries(texts), positionals, problems };
}

function parseCommand(positionals: readonly string[], isHelp: boolean, problems: string[]): Command {
  const [word, file, ...rest] = positionals;
  if (isHelp || word === "help") return { kind: "help" };
  if (word === undefined) return { kind: "serve" };
  if (word !== "backup" && word !== "restore") problems.push(`${word}: expected backup, restore or help`);
  else if (file === undefined || rest.length > 0) problems.push(`${word}: expected one file`);
  else return { kind: word, file: resolve(file) };
  return { kind: "help" };
}
