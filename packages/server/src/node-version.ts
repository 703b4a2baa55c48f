/** @file Which Node runs us. Imported before everything else, so it imports nothing. */

/** The line whose type stripping, permission model and `node:` interfaces the code is written for. */
const oldest = 24;

/** What to do about a Node that is too old; undefined when it is new enough. @param version such as "v24.21.0". */
export function nodeVersionProblem(version: string): string | undefined {
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  if (major >= oldest) return undefined;
  return `Gristmill needs Node ${oldest} or newer; this is ${version}. Start it with \`npm start\`, which uses the Node that is installed with it, or install Node ${oldest}.`;
}
