import { SessionError } from "@gristmill/onnx";
import { DataError } from "../errors.ts";

/** What the runtime says when a table is asked for a row that it does not have, and the node's name. */
const outOfTable =
  /'([^']+)\/[^'/]*' Status Message: indices element out of data bounds, idx=(-?\d+) must be within the inclusive range \[-?\d+,(-?\d+)\]/;

/**
 * Runs a program and says in the words of the data what the runtime refuses: a token beyond an embedding's table, where it
 * comes out of other layers, is found only there.
 * @throws DataError naming the layer; whatever else the run throws
 */
export async function running<T>(run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (error) {
    const [, layer, received, last] = (error instanceof SessionError && outOfTable.exec(error.message)) || [];
    if (layer === undefined) throw error;
    throw new DataError(
      `${layer}: expected whole numbers from 0 to ${last}, the rows of its table, received ${received}; make the table larger, or number the words anew`,
      { cause: error },
    );
  }
}
