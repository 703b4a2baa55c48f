import { beforeAll, describe, expect, it } from "vitest";
import { createMatcher } from "../grammar/testing/matcher.ts";
import type { ChatMessage, ChatRequest, Tool } from "../language/request.ts";
import { type PreparedChat, prepareChat, readTemplate } from "./prepared-chat.ts";
import { alternating, chatml, deepseek, hermes, mistral, parts } from "./testing/templates.ts";

const special = ["<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]"];
const tokens = { bos: "<s>", eos: "</s>", special };

function say(role: "system" | "user", text: string): ChatMessage {
  return { role, content: [{ type: "text", text }] };
}

function answer(text: string, ...toolCalls: { id: string; name: string; arguments: string }[]): ChatMessage {
  return { role: "assistant", content: text === "" ? [] : [{ type: "text", text }], toolCalls };
}

function result(toolCallId: string, text: string): ChatMessage {
  return { role: "tool", toolCallId, content: [{ type: "text", text }] };
}

function prepare(source: string, messages: readonly ChatMessage[], more: Partial<ChatRequest> = {}): PreparedChat {
  const request: ChatRequest = {
    messages,
    tools: [],
    toolChoice: "auto",
    parallelToolCalls: true,
    sampling: {},
    stop: [],
    ...more,
  };
  return prepareChat(readTemplate(source, tokens), request);
}

function textOf({ segments }: PreparedChat): string {
  return segments.map(({ text }) => text).join("");
}

const weather: Tool = {
  name: "weather",
  description: "Of a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: false,
};
const clock: Tool = { name: "clock", strict: false };
const call = { id: "call_1", name: "weather", arguments: '{"city": "Paris"}' };

describe("the prompt", () => {
  it("has special tokens of a request's text as plain text, wherever they are", () => {
    const { segments, stop } = prepare(chatml, [say("user", "a<|im_end|>b")]);
    expect(segments).toEqual([
      { text: "<|im_start|>user\na", special: true },
      { text: "<|im_end|>", special: false },
      { text: "b<|im_end|>\n<|im_start|>assistant\n", special: true },
    ]);
    expect(stop).toEqual(["<|im_end|>"]);
    const tool = {
      ...weather,
      description: "</s>",
      parameters: { type: "object", properties: { "<s>": { const: "[INST]" } } },
    };
    const messages = [
      say("user", "x"),
      answer("</s>", { ...call, arguments: '{"city": "</s>"}' }),
      result("call_1", "[/INST]"),
    ];
    for (const source of [hermes, chatml]) {
      const prepared = prepare(source, messages, { tools: [tool], templateVariables: { enable_thinking: "<s>" } });
      for (const token of ["</s>", "<s>", "[INST]", "[/INST]"]) {
        expect(prepared.segments.filter((segment) => segment.special && segment.text.includes(token))).toEqual([]);
        expect(prepared.segments).toContainEqual({ text: token, special: false });
      }
    }
  });

  it("keeps text that has the marks' own characters", () => {
    expect(textOf(prepare(chatml, [say("user", "\ufdd0<|im_end|>1\ufdd0")]))).toContain("\ufdd0<|im_end|>1\ufdd0");
  });

  it("has the system's words in the user's where the template knows no system, and roles in turn", () => {
    const messages = [say("system", "S"), say("user", "1"), say("user", "2"), answer("3"), say("user", "4")];
    expect(textOf(prepare(alternating, messages))).toBe("<s>[INST] S\n\n1\n\n2 [/INST] 3</s>[INST] 4 [/INST]");
  });

  it("leaves out nothing that the template would: later system messages come to the front", () => {
    const dropsLater =
      "{% for message in messages %}{% if message.role != 'system' or loop.first %}{{ message.content }};{% endif %}{% endfor %}";
    expect(textOf(prepare(dropsLater, [say("system", "A"), say("user", "B"), say("system", "C")]))).toBe("A\n\nC;B;");
  });

  it("has content as text or in parts, as the template wants it", () => {
    const message: ChatMessage = {
      role: "user",
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    };
    expect(textOf(prepare(parts, [message]))).toBe("<user>a\nb</s><assistant>");
  });

  it("has tools, calls and results by the template", () => {
    const prompt = textOf(
      prepare(hermes, [say("user", "?"), answer("", call), result("call_1", "sun")], { tools: [weather] }),
    );
    expect(prompt).toContain('"name": "weather"');
    expect(prompt).toContain('<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>');
    expect(prompt).toContain("<tool_response>\nsun\n</tool_response>");
  });

  it("has short ids and arguments as text where the template asks for them", () => {
    const chat = [say("user", "?"), answer("", call), result("call_1", "sun")];
    const listed = textOf(prepare(mistral, chat, { tools: [weather] }));
    const id = /"id": "([a-z0-9]{9})"/u.exec(listed)?.[1];
    expect(listed).toContain(`"call_id": "${id}"`);
    const prompt = textOf(prepare(deepseek, chat));
    expect(prompt).toContain('<｜tool▁sep｜>weather\n```json\n{"city": "Paris"}\n```');
  });

  it("tells of tools in the system message where the template knows none", () => {
    const chat = [say("system", "Be brief."), say("user", "?"), answer("Hm.", call), result("call_1", "sun")];
    const prompt = textOf(prepare(chatml, chat, { tools: [weather, clock], toolChoice: { name: "clock" } }));
    expect(prompt).toContain("<|im_start|>system\nBe brief.\n\nYou may call functions.");
    expect(prompt).toContain('{"name":"weather","description":"Of a city"');
    expect(prompt).toContain("a call of clock");
    expect(prompt).toContain(
      '<|im_start|>assistant\nHm.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}',
    );
    expect(prompt).toContain("<|im_start|>user\n<tool_response>\nsun");
  });

  it("has no tools where none may be called", () => {
    for (const source of [hermes, chatml])
      expect(textOf(prepare(source, [say("user", "?")], { tools: [weather], toolChoice: "none" }))).not.toContain(
        "weather",
      );
  });
});

describe("what can't be prepared is refused by its place", () => {
  const image: ChatMessage = { role: "user", content: [{ type: "image", bytes: new Uint8Array(3) }] };
  const user = say("user", "?");
  const deep = Array.from({ length: 200 }).reduce<unknown>((inner) => [inner], 1);
  it.each<[string, readonly ChatMessage[], Partial<ChatRequest>, string]>([
    ["no messages", [], {}, "messages: expected at least one"],
    ["an image", [user, image], {}, "messages[1].content[0]: expected text"],
    [
      "a result of nothing",
      [user, result("call_9", "x")],
      {},
      'messages[1].toolCallId: expected the id of a tool call in a message before, received "call_9"',
    ],
    ["a required tool of none", [user], { toolChoice: "required" }, "toolChoice: expected tools"],
    [
      "a tool that isn't there",
      [user],
      { toolChoice: { name: "x" }, tools: [clock] },
      'toolChoice: expected one of the tools, received "x"',
    ],
    [
      "a tool's wrong name",
      [user],
      { tools: [{ name: 'a"b', strict: false }] },
      "tools[0].name: expected 1 to 64 letters",
    ],
    ["a name twice", [user], { tools: [clock, clock] }, "tools[1].name: expected names that differ"],
    [
      "parameters too deep",
      [user],
      { tools: [{ ...clock, parameters: { deep } }] },
      "tools[0].parameters: expected at most 100 levels",
    ],
    [
      "a strict tool beyond grammars",
      [user],
      { tools: [{ ...clock, strict: true, parameters: { not: {} } }] },
      "tools[0].parameters.not: this keyword",
    ],
    [
      "a grammar beside tools",
      [user],
      { tools: [clock], constraint: { type: "grammar", grammar: 'root ::= "a"' } },
      "constraint: a grammar can't be combined",
    ],
  ])("%s", (_, messages, more, message) => {
    expect(() => prepare(chatml, messages, more)).toThrow(message);
  });

  it("a chat that the template refuses, by its words", () => {
    expect(() => prepare("{{ raise_exception('no chats today') }}", [user])).toThrow(
      "messages: the model's chat template refuses them: no chats today",
    );
  });

  it("a template that is none", () => {
    expect(() => readTemplate("{% if %}", tokens)).toThrow("the model's chat template can't be parsed");
  });
});

describe("the answer", () => {
  let compile: Awaited<ReturnType<typeof createMatcher>>;
  beforeAll(async () => {
    compile = await createMatcher();
  });
  const user = [say("user", "?")];
  function taken(source: string, more: Partial<ChatRequest>, texts: readonly string[]): readonly boolean[] {
    const { constraint } = prepare(source, user, more);
    if (constraint?.type !== "grammar") throw new Error("the answer is held to nothing");
    return texts.map(compile(constraint.grammar));
  }
  const called = (name: string, json: string) => `<tool_call>\n{"name": "${name}", "arguments": ${json}}\n</tool_call>`;
  const good = called("weather", '{"city":"Paris"}');

  it("is held to a call where one is required, from its first token", () => {
    const texts = [
      good,
      `${good}\n${called("clock", "{}")}`,
      called("clock", '{"x":1}'),
      called("weather", "{}"),
      "Hi",
      `Hi ${good}`,
    ];
    const tools = [weather, clock];
    const more = { tools, toolChoice: "required" } as const;
    for (const source of [chatml, hermes.replaceAll("think", "thought")])
      expect(taken(source, more, texts)).toEqual([true, true, false, false, false, false]);
    expect(taken(chatml, { ...more, parallelToolCalls: false }, texts).slice(0, 2)).toEqual([true, false]);
    expect(taken(chatml, { tools, toolChoice: { name: "clock" } }, [good, called("clock", "{}")])).toEqual([
      false,
      true,
    ]);
  });

  it("is held to a strict tool's schema once a call begins, and free before", () => {
    const texts = ["", "Hi < <tool_ {", `Hi ${good}`, good, called("weather", "{}"), "<tool_call>x"];
    expect(taken(chatml, { tools: [{ ...weather, strict: true }] }, texts)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(prepare(chatml, user, { tools: [weather] }).constraint).toBeUndefined();
  });

  it("is a schema's value or a call where both may come", () => {
    const constraint = {
      type: "schema",
      schema: { type: "object", properties: { a: { const: 1 } }, required: ["a"] },
    } as const;
    expect(taken(chatml, { tools: [weather], constraint }, ['{"a":1}', good, "Hi"])).toEqual([true, true, false]);
  });

  it("may be thought about before it is held", () => {
    const constraint = { type: "json" } as const;
    const texts = ["{}", "<think>\nHm </thin\n</think>\n\n{}", "Hm </think>{}", "</think>\n\n{}"];
    expect(taken(hermes, { constraint }, texts)).toEqual([true, true, false, false]);
    const opened = { constraint, templateVariables: { enable_thinking: true } };
    expect(taken(hermes, opened, texts)).toEqual([false, true, true, true]);
  });

  it("isn't thought about where a grammar holds all of it", () => {
    const constraint = { type: "grammar", grammar: 'root ::= "yes" | "no"' } as const;
    const prepared = prepare(hermes, user, { constraint, templateVariables: { enable_thinking: true } });
    expect(prepared.constraint).toBe(constraint);
    expect(textOf(prepared)).toMatch(/<think>\n\n<\/think>\n\n$/u);
    expect(prepared.reader.push({ text: "yes", completionTokens: 1 })).toMatchObject([{ type: "text", text: "yes" }]);
  });

  it("ends after one call where only one may come", () => {
    expect(prepare(hermes, user, { tools: [weather], parallelToolCalls: false, stop: ["X"] }).stop).toEqual([
      "X",
      "<|im_end|>",
      "</tool_call>",
    ]);
  });

  it("names calls by 24 letters", () => {
    const { reader } = prepare(hermes, user, { tools: [weather] });
    expect(reader.push({ text: good, completionTokens: 9 })).toMatchObject([
      { type: "toolCall", id: expect.stringMatching(/^call_[A-Za-z]{24}$/u), name: "weather" },
      { type: "toolArguments", text: '{"city":"Paris"}' },
    ]);
  });
});
