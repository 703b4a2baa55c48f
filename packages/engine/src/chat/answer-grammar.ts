/**
 * @file The grammar of a whole answer: thinking, then text, a value or calls. Where calls are only allowed, text is free up to
 * what begins a call and held from there on: what other engines do by starting a grammar late.
 */
import { EngineRequestError } from "../errors.ts";
import { characters, choice, type Expression, empty, optional, repeat, sequence, text } from "../grammar/expression.ts";
import { GrammarBuilder } from "../grammar/grammar-builder.ts";
import { SchemaGrammar } from "../grammar/schema-grammar.ts";
import type { ChatRequest, Constraint, Tool } from "../language/request.ts";
import type { ToolFormat } from "./tool-formats.ts";
import { otherThan, untilMark } from "./until-mark.ts";

/** Calls of one answer that is held to calls: small models don't end by themselves. */
const maxCalls = 32;

/** What an answer's grammar is made of. */
export interface AnswerGrammarOptions {
  readonly request: ChatRequest;
  /** How calls are written; undefined where none may come. */
  readonly format: ToolFormat | undefined;
  /** The marks of thinking that the model may begin with, or has begun with. */
  readonly thinking?: Thinking | undefined;
}

/** How a model marks its thinking. */
export interface Thinking {
  readonly open: string;
  readonly close: string;
  /** The prompt has the first mark already. */
  readonly isOpen: boolean;
}

/** What the answer is held to; undefined: nothing. @throws EngineRequestError for a schema that it can't be held to. */
export function answerConstraint({ request, format, thinking }: AnswerGrammarOptions): Constraint | undefined {
  const { constraint, tools, toolChoice, parallelToolCalls } = request;
  const mustCall = toolChoice === "required" || typeof toolChoice === "object";
  const isStrict = tools.some(({ strict }) => strict);
  // An end of its own stops after one call; without one only a grammar can.
  const countsCalls = !parallelToolCalls && format?.writing.several === true && format.ending === undefined;
  const holdsCalls = format !== undefined && (mustCall || isStrict || countsCalls || constraint !== undefined);
  if (!holdsCalls && constraint?.type === "grammar") return constraint;
  if (!holdsCalls && (constraint === undefined || thinking === undefined)) return constraint;
  if (constraint?.type === "grammar" && !mustCall)
    throw new EngineRequestError(
      "constraint",
      "a grammar can't be combined with tools that may be called: set one of both",
    );
  const builder = new GrammarBuilder(holdsCalls ? "tools" : "constraint.schema");
  const body = bodyExpression(request, holdsCalls ? format : undefined, mustCall, builder);
  return {
    type: "grammar",
    grammar: builder.print(thinking === undefined ? body : sequence(thought(thinking, builder), body)),
  };
}

function bodyExpression(
  request: ChatRequest,
  format: ToolFormat | undefined,
  mustCall: boolean,
  builder: GrammarBuilder,
): Expression {
  const { constraint } = request;
  const value = mustCall || constraint === undefined ? [] : [valueExpression(constraint, builder)];
  if (format === undefined) return choice(...value);
  if (!mustCall && constraint === undefined) return textThenCalls(request, format, builder);
  return choice(callsExpression(request, format, builder), ...value);
}

function valueExpression(constraint: Constraint, builder: GrammarBuilder): Expression {
  const schema = constraint.type === "schema" ? constraint.schema : undefined;
  const grammar = new SchemaGrammar(builder, schema);
  return constraint.type === "schema" ? grammar.values(schema, "constraint.schema") : grammar.anyObject();
}

/**
 * The calls that may be made, in the format's exact writing.
 * @param written what was written of it already.
 */
function callsExpression(request: ChatRequest, format: ToolFormat, builder: GrammarBuilder, written = ""): Expression {
  const { tools, toolChoice, parallelToolCalls } = request;
  const { open, beforeName, beforeArguments, afterArguments, separator, close, several } = format.writing;
  const called = typeof toolChoice === "object" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  const named = called.map(({ name, ...tool }) => {
    const values = argumentsExpression(
      tool,
      `tools[${tools.findIndex((each) => each.name === name)}].parameters`,
      builder,
    );
    return sequence(text(name + beforeArguments), values, text(afterArguments));
  });
  const call = builder.define(builder.newName("call"), choice(...named));
  const more =
    several && parallelToolCalls ? repeat(sequence(text(separator + beforeName), call), 0, maxCalls - 1) : empty;
  const begins = choice(...open.map((begin) => text((begin + beforeName).slice(written.length))));
  return sequence(begins, call, more, text(close));
}

/** A tool's arguments: by its schema; any object where that can't be held to and needn't be. */
function argumentsExpression(
  { parameters, strict }: Pick<Tool, "parameters" | "strict">,
  field: string,
  builder: GrammarBuilder,
): Expression {
  const schema =
    parameters !== null && typeof parameters === "object"
      ? { type: "object", ...parameters }
      : { type: "object", properties: {} };
  if (schema.type !== "object" && strict)
    throw new EngineRequestError(`${field}.type`, `expected "object", received ${JSON.stringify(schema.type)}`);
  try {
    // In a builder of its own first: what fails must leave nothing behind.
    const trial = new GrammarBuilder(field);
    trial.print(new SchemaGrammar(trial, schema).values(schema, field));
  } catch (cause) {
    if (strict || !(cause instanceof EngineRequestError)) throw cause;
    return new SchemaGrammar(builder, undefined).anyObject();
  }
  return new SchemaGrammar(builder, schema).values(schema, field);
}

/** Text in which no call begins, and after it calls or none. */
function textThenCalls(request: ChatRequest, format: ToolFormat, builder: GrammarBuilder): Expression {
  const { begins, bare } = format;
  const mark = bare ? undefined : begins[0];
  const after = new Map(mark === undefined ? [] : [[mark, callsExpression(request, format, builder, mark)]]);
  const free = untilMark(begins, { after, mayEnd: true }, builder);
  if (!bare) return free;
  // A brace after white space would be read as a call's too.
  const space = repeat(characters("  \n\n"), 0, 4);
  const first = otherThan([0x20, 0x09, 0x0a, 0x0d, 0x7b, ...begins.map((begin) => begin.codePointAt(0) ?? 0)]);
  return choice(callsExpression(request, format, builder), optional(sequence(space, first, free)));
}

/** Thinking, up to the answer's beginning. */
function thought({ open, close, isOpen }: Thinking, builder: GrammarBuilder): Expression {
  const lines = repeat(text("\n"), 0, 2);
  const thinking = untilMark([close], { after: new Map([[close, lines]]), mayEnd: false }, builder);
  return isOpen ? thinking : optional(sequence(text(open), thinking));
}
