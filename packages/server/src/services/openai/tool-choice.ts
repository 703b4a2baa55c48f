/** @file Pure: which of a request's functions may or must be called. */
import type { Tool, ToolChoice } from "@gristmill/engine";
import { badField } from "./bad-field.ts";

/** A function that a choice names, and where it does so. */
export interface NamedTool {
  readonly name: string;
  readonly field: string;
}

/** What a caller chose: a mode, one function, or a mode among some functions. */
export type AskedChoice =
  | "none"
  | "auto"
  | "required"
  | NamedTool
  | { readonly mode: "auto" | "required"; readonly allowed: readonly NamedTool[] };

/** Tools that may be called, and which must be. */
export interface ChosenTools {
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
}

/** @param asked undefined: any may be called. @throws AppError `request.invalid` for a choice of what is not there. */
export function chosenTools(tools: readonly Tool[], asked: AskedChoice | undefined): ChosenTools {
  const names = new Set(tools.map(({ name }) => name));
  if (names.size !== tools.length) throw badField("tools", "expected functions of different names");
  const choice = asked ?? (tools.length === 0 ? "none" : "auto");
  if (choice === "none" || choice === "auto") return { tools, toolChoice: choice };
  if (tools.length === 0) throw badField("tool_choice", "expected `tools` beside it");
  if (choice === "required") return { tools, toolChoice: choice };
  const known = ({ name, field }: NamedTool): string => {
    if (!names.has(name)) throw badField(field, `there is no function "${name}" in \`tools\``);
    return name;
  };
  if ("name" in choice) return { tools, toolChoice: { name: known(choice) } };
  const allowed = new Set(choice.allowed.map(known));
  return { tools: tools.filter(({ name }) => allowed.has(name)), toolChoice: choice.mode };
}
