/** @file Why a model of ONNX's tests does not pass, in words that stay the same from machine to machine. */

interface Reason {
  readonly text: string;
  /** False where another machine may run the model. */
  readonly holdsEverywhere: boolean;
}

/** What messages look like, and what the list says of them. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/does not say which opset/, "an operator of training, in a file that names no version of ai.onnx"],
  [/sequences, maps and optional values/, "a sequence or an optional value"],
  [/element type 16 \(bfloat16\)/, "bfloat16"],
  [/Could not find an implementation for (\w+)/, "ONNX Runtime has no kernel of $1 for this element type"],
  [/onnxruntime\/core\/providers\/cpu\/rnn\//, "ONNX Runtime has no recurrent layers with the batch first (layout 1)"],
  [/operator (\S+) has no rule/, "operator $1 is not in the table"],
  [/differs at element/, "ONNX Runtime gives other numbers"],
  [/of opset \d+ cannot be read as opset \d+: ([^;]*);/, "$1"],
];

/** Fails where the machine has not the locale that the model asks for. */
const ofTheMachine = /Failed to construct locale/;

/** The reason behind a message; the message itself where it is of no known kind. */
export function reasonOf(message: string): Reason {
  const holdsEverywhere = !ofTheMachine.test(message);
  for (const [pattern, text] of reasons) {
    const found = pattern.exec(message);
    if (found !== null) return { text: text.replace("$1", found[1] ?? ""), holdsEverywhere };
  }
  return { text: message.replaceAll(/\s+/g, " "), holdsEverywhere };
}
