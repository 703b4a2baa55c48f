/**
 * @file How families of models write calls of tools, as one table. A format is known by what a template says; where a
 * template says nothing, the model is told to write as `generic` does.
 */

/** How calls are told from text, and how a grammar writes them. */
export interface ToolFormat {
  readonly name: string;
  /** Whether a template teaches it. */
  readonly taughtBy: (template: string) => boolean;
  /** Each of these begins a call, wherever it stands. */
  readonly begins: readonly string[];
  /** A call may be the answer's first character, with nothing before it. */
  readonly bare: boolean;
  /**
   * What stands before the arguments: an object with the call's name, or text that the pattern takes the name from (group
   * `name`; matched from after what begins the call up to the first brace).
   */
  readonly head: "object" | RegExp;
  /** Calls are a list within brackets. */
  readonly list: boolean;
  /** What may stand between two calls and begins the second. */
  readonly separators: readonly string[];
  /** What may follow a call and means nothing more. */
  readonly closings: readonly string[];
  /** Ends a single call; undefined where its end is not a text of its own. */
  readonly ending: string | undefined;
  /** The exact writing: one of `open`, calls with `separator` between, `close`. */
  readonly writing: {
    readonly open: readonly string[];
    readonly beforeName: string;
    readonly beforeArguments: string;
    readonly afterArguments: string;
    readonly separator: string;
    readonly close: string;
    /** Several calls in one answer. */
    readonly several: boolean;
  };
  /** Special tokens that the above is made of. */
  readonly marks: readonly string[];
}

const hermesFormat: Omit<ToolFormat, "name" | "taughtBy"> = {
  begins: ["<tool_call>"],
  bare: false,
  head: "object",
  list: false,
  separators: [],
  closings: ["</tool_call>"],
  ending: "</tool_call>",
  writing: {
    open: [""],
    beforeName: '<tool_call>\n{"name": "',
    beforeArguments: '", "arguments": ',
    afterArguments: "}\n</tool_call>",
    separator: "\n",
    close: "",
    several: true,
  },
  marks: ["<tool_call>", "</tool_call>"],
};

/** What models are told to write whose templates know no tools. */
export const genericFormat: ToolFormat = { ...hermesFormat, name: "generic", taughtBy: () => false };

/** The formats, the more particular ones first. */
export const toolFormats: readonly ToolFormat[] = [
  {
    name: "kimi",
    taughtBy: (template) => template.includes("<|tool_call_argument_begin|>"),
    begins: ["<|tool_calls_section_begin|>", "<|tool_call_begin|>"],
    bare: false,
    head: /^\s*(?:<\|tool_call_begin\|>)?\s*(?:functions\.)?(?<name>[\w.-]+?)(?::\d+)?\s*<\|tool_call_argument_begin\|>\s*$/u,
    list: false,
    separators: [],
    closings: ["<|tool_call_end|>", "<|tool_calls_section_end|>"],
    ending: "<|tool_call_end|>",
    writing: {
      open: ["<|tool_calls_section_begin|>"],
      beforeName: "<|tool_call_begin|>functions.",
      beforeArguments: ":0<|tool_call_argument_begin|>",
      afterArguments: "<|tool_call_end|>",
      separator: "",
      close: "<|tool_calls_section_end|>",
      several: true,
    },
    marks: [
      "<|tool_calls_section_begin|>",
      "<|tool_call_begin|>",
      "<|tool_call_argument_begin|>",
      "<|tool_call_end|>",
      "<|tool_calls_section_end|>",
    ],
  },
  {
    name: "deepseek",
    taughtBy: (template) => template.includes("<｜tool▁calls▁begin｜>") && template.includes("```json"),
    begins: ["<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"],
    bare: false,
    head: /^\s*(?:<｜tool▁call▁begin｜>)?(?:function)?<｜tool▁sep｜>(?<name>[\w.-]+)\s*(?:```(?:json)?)?\s*$/u,
    list: false,
    separators: [],
    closings: ["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    ending: "<｜tool▁call▁end｜>",
    writing: {
      open: ["<｜tool▁calls▁begin｜>"],
      beforeName: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
      beforeArguments: "\n```json\n",
      afterArguments: "\n```<｜tool▁call▁end｜>",
      separator: "\n",
      close: "<｜tool▁calls▁end｜>",
      several: true,
    },
    marks: [
      "<｜tool▁calls▁begin｜>",
      "<｜tool▁call▁begin｜>",
      "<｜tool▁sep｜>",
      "<｜tool▁call▁end｜>",
      "<｜tool▁calls▁end｜>",
    ],
  },
  {
    name: "deepseek-v3.1",
    taughtBy: (template) => template.includes("<｜tool▁calls▁begin｜>"),
    begins: ["<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"],
    bare: false,
    head: /^\s*(?:<｜tool▁call▁begin｜>)?(?<name>[\w.-]+)<｜tool▁sep｜>\s*$/u,
    list: false,
    separators: [],
    closings: ["<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    ending: "<｜tool▁call▁end｜>",
    writing: {
      open: ["<｜tool▁calls▁begin｜>"],
      beforeName: "<｜tool▁call▁begin｜>",
      beforeArguments: "<｜tool▁sep｜>",
      afterArguments: "<｜tool▁call▁end｜>",
      separator: "",
      close: "<｜tool▁calls▁end｜>",
      several: true,
    },
    marks: [
      "<｜tool▁calls▁begin｜>",
      "<｜tool▁call▁begin｜>",
      "<｜tool▁sep｜>",
      "<｜tool▁call▁end｜>",
      "<｜tool▁calls▁end｜>",
    ],
  },
  {
    name: "mistral-named",
    taughtBy: (template) => template.includes("[TOOL_CALLS]") && template.includes("[ARGS]"),
    begins: ["[TOOL_CALLS]"],
    bare: false,
    head: /^\s*(?<name>[\w.-]+)\s*(?:\[CALL_ID\]\w*)?\[ARGS\]\s*$/u,
    list: false,
    separators: [],
    closings: [],
    ending: undefined,
    writing: {
      open: [""],
      beforeName: "[TOOL_CALLS]",
      beforeArguments: "[ARGS]",
      afterArguments: "",
      separator: "",
      close: "",
      several: true,
    },
    marks: ["[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"],
  },
  {
    name: "mistral",
    taughtBy: (template) => template.includes("[TOOL_CALLS]"),
    begins: ["[TOOL_CALLS]"],
    bare: false,
    head: "object",
    list: true,
    separators: [],
    closings: [],
    ending: undefined,
    writing: {
      open: ["[TOOL_CALLS][", "[TOOL_CALLS] ["],
      beforeName: '{"name": "',
      beforeArguments: '", "arguments": ',
      afterArguments: "}",
      separator: ", ",
      close: "]",
      several: true,
    },
    marks: ["[TOOL_CALLS]"],
  },
  {
    name: "command",
    taughtBy: (template) => template.includes("<|START_ACTION|>"),
    begins: ["<|START_ACTION|>"],
    bare: false,
    head: "object",
    list: true,
    separators: [],
    closings: ["<|END_ACTION|>"],
    ending: undefined,
    writing: {
      open: ["<|START_ACTION|>["],
      beforeName: '{"tool_name": "',
      beforeArguments: '", "parameters": ',
      afterArguments: "}",
      separator: ", ",
      close: "]<|END_ACTION|>",
      several: true,
    },
    marks: ["<|START_ACTION|>", "<|END_ACTION|>"],
  },
  {
    name: "phi",
    taughtBy: (template) => template.includes("<|tool_call|>"),
    begins: ["<|tool_call|>"],
    bare: false,
    head: "object",
    list: true,
    separators: [],
    closings: ["<|/tool_call|>"],
    ending: undefined,
    writing: {
      open: ["<|tool_call|>["],
      beforeName: '{"name": "',
      beforeArguments: '", "arguments": ',
      afterArguments: "}",
      separator: ", ",
      close: "]",
      several: true,
    },
    marks: ["<|tool_call|>", "<|/tool_call|>"],
  },
  {
    ...hermesFormat,
    name: "hermes",
    // The same tags hold another notation, of parameters in tags of their own, in templates that name these.
    taughtBy: (template) => template.includes("<tool_call>") && !template.includes("<parameter="),
  },
  {
    name: "functionary",
    taughtBy: (template) => template.includes("<function=") && !template.includes("<parameter="),
    begins: ["<function="],
    bare: false,
    head: /^(?<name>[\w.-]+)>\s*$/u,
    list: false,
    separators: [],
    closings: ["</function>"],
    ending: "</function>",
    writing: {
      open: [""],
      beforeName: "<function=",
      beforeArguments: ">",
      afterArguments: "</function>",
      separator: "\n",
      close: "",
      several: true,
    },
    marks: [],
  },
  {
    name: "llama",
    taughtBy: (template) => template.includes("<|python_tag|>") || template.includes('"parameters": dictionary'),
    begins: ["<|python_tag|>"],
    bare: true,
    head: "object",
    list: false,
    separators: [";"],
    closings: [],
    ending: undefined,
    writing: {
      open: [""],
      beforeName: '{"name": "',
      beforeArguments: '", "parameters": ',
      afterArguments: "}",
      separator: "",
      close: "",
      several: false,
    },
    marks: ["<|python_tag|>"],
  },
];
