import { describe, expect, it } from "vitest";
import { type LlamaServerOptions, llamaServerArguments } from "./options.ts";

const options: LlamaServerOptions = {
  name: "m",
  binaryPath: "/bin/llama-server",
  threads: 2,
  slots: 4,
  maxQueue: 8,
  prefillChunk: 256,
};
const following = (args: readonly string[], name: string): string | undefined => args[args.indexOf(name) + 1];

describe("the arguments of llama-server", () => {
  it("give every slot the whole context, and set all threads", () => {
    const args = llamaServerArguments("/m.gguf", { ...options, contextLength: 1000 });
    expect(following(args, "--ctx-size")).toBe("4000");
    expect(["--threads", "--threads-batch"].map((name) => following(args, name))).toEqual(["2", "2"]);
    expect(following(args, "--batch-size")).toBe("256");
    expect(following(args, "--host")).toBe("127.0.0.1");
  });

  it("read what is to be embedded in one step", () => {
    const args = llamaServerArguments("/m.gguf", { ...options, use: "embed" });
    expect([following(args, "--ubatch-size"), args.includes("--embeddings")]).toEqual(["4096", true]);
  });

  it("name projector, draft and adapters, whose paths can't be quoted", () => {
    const adapters = [{ path: "/a b.gguf", scale: 0.5 }];
    const args = llamaServerArguments("/m.gguf", { ...options, projectorPath: "/p", draftPath: "/d", adapters });
    expect(["--mmproj", "--model-draft", "--lora-scaled"].map((name) => following(args, name))).toEqual([
      "/p",
      "/d",
      "/a b.gguf:0.5",
    ]);
    const bad = { ...options, adapters: [{ path: "/a,b", scale: 1 }] };
    expect(() => llamaServerArguments("/m.gguf", bad)).toThrow('without commas and colons, received "/a,b"');
  });
});
