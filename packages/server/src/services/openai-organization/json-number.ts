/** @file The one place where an exact decimal becomes a JSON number: OpenAI's shapes want one, and nothing is reckoned with it afterwards. */
import Big from "big.js";

/** The number nearest to an exact decimal: right to 15 digits. */
export const jsonNumber = (exact: string | Big): number => new Big(exact).toNumber(); // float-ok: what is answered

/** The whole number nearest to an exact decimal, half to even. */
export const jsonInteger = (exact: string | Big): number => new Big(exact).round(0, Big.roundHalfEven).toNumber(); // float-ok: what is answered
