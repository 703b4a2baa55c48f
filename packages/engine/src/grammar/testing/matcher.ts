/** @file Whether a text is what a grammar allows, asked of llama.cpp itself. */
import { getLlama, LlamaGrammar } from "node-llama-cpp";

/** What the binding has for its own tests: the engine's own following of a grammar, without a model. */
interface TextTester {
  _testText(text: string): boolean;
}

/** Makes a function that compiles a grammar; what that returns says whether a text is one of the grammar. */
export async function createMatcher(): Promise<(grammar: string) => (text: string) => boolean> {
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1, progressLogs: false });
  return (grammar) => {
    const compiled = new LlamaGrammar(llama, { grammar }) as unknown as TextTester;
    return (text) => compiled._testText(text);
  };
}
