/**
 * @file A small language model on the user's own platform, by OpenAI's own client: it chats, calls a tool, fills a JSON schema,
 * and its tokens are on the ledger.
 *
 *   node examples/chat.ts [--model FILE.gguf] [QUESTION]
 *
 * It uses the platform that runs, or starts one for as long as it takes.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatCount, screenOf, stopServer, usageText } from "@gristmill/cli";
import { type Gristmill, hasCode } from "@gristmill/sdk";
import OpenAI from "openai";
import { obtainModel, smolLm } from "./data/model-file.ts";
import { Stage } from "./quickstart/stage.ts";
import { openPlatform, type Platform } from "./quickstart/steps/platform.ts";

const name = "smol";
const city = {
  type: "object",
  properties: { city: { type: "string", maxLength: 30 }, country: { type: "string", maxLength: 30 } },
  required: ["city", "country"],
  additionalProperties: false,
} as const;

const usage = "Usage: node examples/chat.ts [--model FILE.gguf] [QUESTION]";
const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort(new Error("interrupted")));
const stage = new Stage(screenOf(process.stdout, process.env), stopping.signal);
const { signal } = stage;

const { values, positionals } = readArguments();
let platform: Platform | undefined;
try {
  const from = new Date().toISOString();
  const opened = await stage.step("Open the platform", () => openPlatform(stage, process.env, "examples/chat"));
  platform = opened;
  const { client } = opened;
  const file = values.model ?? (await stage.step(`Find ${smolLm.name}`, fetchModel));
  await stage.step("Upload and deploy it", () => deploy(client, file));
  const openai = new OpenAI({ baseURL: `${opened.url}/v1`, apiKey: opened.key });
  const question = positionals.join(" ") || "What is gravity? Answer in one sentence.";
  await stage.step(`Ask: ${question}`, () => chat(openai, question));
  await stage.step("Let it call a tool", () => callTool(openai));
  await stage.step("Have it fill a JSON schema", () => fillSchema(openai));
  await stage.step("See what was used", async () => {
    stage.say(usageText(await client.usage.report({ from, signal }), stage.screen.paint, stage.screen.columns));
  });
} catch (error) {
  process.stderr.write(`${signal.aborted ? "Interrupted." : error instanceof Error ? error.message : error}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
} finally {
  if (platform?.isStartedHere === true) await stopServer(platform.home);
}

function readArguments() {
  try {
    const read = parseArgs({ options: { model: { type: "string" } }, allowPositionals: true });
    const { model } = read.values;
    if (model !== undefined && !existsSync(model)) throw new Error(`--model: there is no file ${model}`);
    return read;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}\n`);
    return process.exit(2);
  }
}

async function fetchModel(): Promise<string> {
  const obtained = await obtainModel(smolLm);
  if ("reason" in obtained)
    throw new Error(`${smolLm.name}: ${obtained.reason}. With --model any GGUF file of yours does.`);
  stage.done(obtained.path);
  return obtained.path;
}

async function deploy(client: Gristmill, path: string): Promise<void> {
  const { version } = await client.models.importFile(name, path, { signal });
  const model = `${name}@${version}`;
  const generation = { context_length: 1024, slots: 2 };
  try {
    await client.deployments.create({ name, model, generation }, { signal });
  } catch (error) {
    if (!hasCode(error, "deployment.name_taken")) throw error;
    await client.deployments.update(name, { model, generation }, { signal });
  }
  await client.deployments.waitReady(name, { signal, pollMs: 100 });
  stage.done(`${model} answers`);
}

/** Piece by piece, as it is written. */
async function chat(openai: OpenAI, content: string): Promise<void> {
  const chunks = await openai.chat.completions.create(
    {
      model: name,
      messages: [{ role: "user", content }],
      max_completion_tokens: 120,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    },
    { signal },
  );
  for await (const { choices, usage } of chunks) {
    stage.screen.stream.write(choices[0]?.delta.content ?? "");
    if (usage) stage.say();
    if (usage)
      stage.done(`${formatCount(usage.prompt_tokens)} tokens read, ${formatCount(usage.completion_tokens)} written`);
  }
}

/** A model that must call a function writes arguments that its schema allows. */
async function callTool(openai: OpenAI): Promise<void> {
  const { choices } = await openai.chat.completions.create(
    {
      model: name,
      messages: [{ role: "user", content: "How is the weather in Rome, in Italy?" }],
      tools: [{ type: "function", function: { name: "weather", description: "Weather of a city", parameters: city } }],
      tool_choice: "required",
      parallel_tool_calls: false,
      temperature: 0,
    },
    { signal },
  );
  const call = choices[0]?.message.tool_calls?.[0];
  if (call?.type !== "function") throw new Error("expected a call of the function, received none");
  stage.done(`${call.function.name}(${JSON.stringify(JSON.parse(call.function.arguments))})`);
}

async function fillSchema(openai: OpenAI): Promise<void> {
  const { choices } = await openai.chat.completions.create(
    {
      model: name,
      messages: [{ role: "user", content: "Which city is the capital of Italy? Answer in JSON." }],
      response_format: { type: "json_schema", json_schema: { name: "city", schema: city, strict: true } },
      temperature: 0,
    },
    { signal },
  );
  stage.done(JSON.stringify(JSON.parse(choices[0]?.message.content ?? "")));
}
