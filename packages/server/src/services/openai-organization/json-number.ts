/** @file The one place where an exact decimal becomes a JSON number: OpenAI's shapes want one, and nothing is reckoned with it afterwards. */
import Big from "big.js";

/** The number nearest to an exact decimal: right to 15 digits. */
// float-ok: what is answered, and nothing is reckoned with
export const jsonNumber = (exact: string | Big): number => new Big(exact).toNumber();

/** The whole number nearest to an exact decimal, half to even. */
// float-ok: what is answered, and nothing is reckoned with
export const jsonInteger = (exact: string | Big): number => new Big(exact).round(0, Big.roundHalfEven).toNumber();
