/** @file The command line, whole: every command, the options of all, and how parsing ends. */
import { Command, type CommanderError } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { budgetCommand } from "./commands/budget.ts";
import type { OpenSession } from "./commands/command.ts";
import { datasetCommand } from "./commands/dataset.ts";
import { deployCommand } from "./commands/deploy.ts";
import { eventCommand } from "./commands/event.ts";
import { helpText } from "./commands/help-text.ts";
import { keyCommand } from "./commands/key.ts";
import { limitCommand } from "./commands/limit.ts";
import { loginCommand, logoutCommand } from "./commands/login.ts";
import { memberCommand } from "./commands/member.ts";
import { meterCommand } from "./commands/meter.ts";
import { modelCommand } from "./commands/model.ts";
import { orgCommand } from "./commands/org.ts";
import { downCommand, homeCommand, type SetExitCode, statusCommand, upCommand } from "./commands/platform.ts";
import { predictCommand } from "./commands/predict.ts";
import { priceCommand } from "./commands/price.ts";
import { projectCommand } from "./commands/project.ts";
import { runCommand } from "./commands/run.ts";
import { serviceAccountCommand } from "./commands/service-account.ts";
import { trainCommand } from "./commands/train.ts";
import { usageCommand } from "./commands/usage.ts";
import { webhookCommand } from "./commands/webhook.ts";
import type { Screen } from "./terminal/screen.ts";

/** Where help and complaints of the parser go. */
export interface ProgramScreens {
  readonly out: Screen;
  readonly err: Screen;
}

/** All commands. @param open makes a command's session. @param setExitCode is told the server's exit code. */
export function makeProgram(open: OpenSession, setExitCode: SetExitCode, { out, err }: ProgramScreens): Command {
  const program = new Command("gristmill")
    .description("AI models as a service, on your own machines: train, deploy, serve, meter and bill.")
    .option("--url <url>", "the platform's address")
    .option("--key <key>", "API key")
    .option("--organization <organization>", "organization to act in, by name or id (admin key, people)")
    .option("--project <project>", "project to act in, by name or id (admin key, people)")
    .option("--json", "one JSON value a line instead of words")
    .addHelpText("after", helpText());
  const groups: readonly (readonly [string, readonly Command[]])[] = [
    [
      "Platform:",
      [
        upCommand(open, setExitCode),
        downCommand(open),
        statusCommand(open),
        loginCommand(open),
        logoutCommand(open),
        homeCommand("backup", open, setExitCode),
        homeCommand("restore", open, setExitCode),
      ],
    ],
    [
      "From data to answers:",
      [
        datasetCommand(open),
        trainCommand(open),
        runCommand(open),
        modelCommand(open),
        deployCommand(open),
        predictCommand(open),
      ],
    ],
    ["How much:", [usageCommand(open), priceCommand(open), meterCommand(open), eventCommand(open)]],
    [
      "Who, and within which bounds:",
      [
        orgCommand(open),
        projectCommand(open),
        memberCommand(open),
        serviceAccountCommand(open),
        keyCommand(open),
        limitCommand(open),
        budgetCommand(open),
        webhookCommand(open),
        auditCommand(open),
      ],
    ],
  ];
  for (const [heading, commands] of groups)
    for (const command of commands) program.addCommand(command.helpGroup(heading));
  const help = new Command("help").argument("[command]").description("Show this, or the help of a command");
  program.addHelpCommand(help.helpGroup("Platform:"));
  for (const command of everyCommand(program)) dress(command, { out, err });
  return program;
}

/** The program and all commands below it. */
export const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];

/** "gristmill dataset list" */
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

function dress(command: Command, { out, err }: ProgramScreens): void {
  command
    .exitOverride()
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError(`  See \`${pathOf(command)} --help\`.`)
    .configureHelp({
      showGlobalOptions: command.parent !== null,
      styleTitle: (text) => out.paint("strong", text),
      styleCommandText: (text) => out.paint("accent", text),
      styleSubcommandText: (text) => out.paint("accent", text),
      styleOptionText: (text) => out.paint("accent", text),
    })
    .configureOutput({
      writeOut: (text) => out.stream.write(text),
      writeErr: (text) => err.stream.write(text),
      outputError: (text, write) => write(`${err.paint("bad", "✗")} ${text.replace(/^error: /, "")}`),
      getOutHelpWidth: () => Math.min(out.columns, 120),
      getErrHelpWidth: () => Math.min(err.columns, 120),
      getOutHasColors: () => out.colours,
      getErrHasColors: () => err.colours,
    });
}

/** True when help or the version was asked for, and shown. */
export const isHelp = (error: CommanderError): boolean =>
  error.code === "commander.helpDisplayed" ||
  error.code === "commander.version" ||
  (error.code === "commander.help" && error.exitCode === 0);
