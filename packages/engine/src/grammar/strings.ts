/** @file Strings of JSON as grammars. */
import { characters, choice, type Expression, type Range, repeat, sequence, text } from "./expression.ts";

const hex = characters("09AFaf");
const twoHex = repeat(hex, 2, 2);

/** Code points that a string of JSON has as themselves: no quote, no backslash, no control, no half of a surrogate pair. */
export const plainRanges: readonly Range[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** One character of a string: as itself, or escaped; of surrogates only pairs. */
export const stringCharacter: Expression = choice(
  { kind: "class", ranges: plainRanges },
  sequence(
    text("\\"),
    choice(
      { kind: "class", ranges: [...'"\\/bfnrt'].map((letter): Range => [letter.charCodeAt(0), letter.charCodeAt(0)]) },
      sequence(
        text("u"),
        choice(
          sequence(characters("09ACEFacef"), hex, twoHex),
          sequence(characters("DDdd"), characters("07"), twoHex),
          sequence(
            characters("DDdd"),
            characters("89ABab"),
            twoHex,
            text("\\u"),
            characters("DDdd"),
            characters("CFcf"),
            twoHex,
          ),
        ),
      ),
    ),
  ),
);
