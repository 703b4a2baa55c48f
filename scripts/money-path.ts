/**
 * @file No binary floating point on the path of money: reads the source of everything that reckons with amounts and quantities, and
 * finds what would make a double of them. They are exact decimals, as text or `Big`. Counts, times and what is exempted stay numbers:
 *
 * - `// float-ok: <reason>` on the line, or alone on the line before it, exempts that line;
 * - arithmetic on times is known by its words (`getTime()`, `Date.now()`, names that end in `Ms` or `Seconds`).
 */
import { globSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import ts from "typescript";

/** Where amounts and quantities are reckoned with. */
export const moneyPath = [
  "packages/contract/src/api/{prices,usage,budgets}.ts",
  "packages/server/src/{billing,budgets}/**/*.ts",
  "packages/server/src/metering/{admission,admissions,current-policy,settlement,settlements,usage-record,usage-sums}.ts",
  "packages/server/src/events/{corrections,counting,quantity}.ts",
  "packages/server/src/services/openai-organization/{costs,json-number}.ts",
];

/** One place that would lose digits. */
export interface Finding {
  readonly line: number;
  readonly problem: string;
}

/** Last words of names that hold money or what becomes money. */
const moneyWords = new Set("amount balance cost credit fee money price quantity spend spent subtotal total".split(" "));

const isMoney = (name: string): boolean =>
  moneyWords.has(
    name
      .split(/(?=[A-Z])|_/)
      .at(-1)
      ?.toLowerCase() ?? "",
  );

const makersOfNumbers = new Set(["Number", "parseFloat", "parseInt"]);
const arithmetic: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.AsteriskToken, "*"],
  [ts.SyntaxKind.SlashToken, "/"],
  [ts.SyntaxKind.PercentToken, "%"],
  [ts.SyntaxKind.AsteriskAsteriskToken, "**"],
  [ts.SyntaxKind.AsteriskEqualsToken, "*="],
  [ts.SyntaxKind.SlashEqualsToken, "/="],
  [ts.SyntaxKind.PercentEqualsToken, "%="],
  [ts.SyntaxKind.AsteriskAsteriskEqualsToken, "**="],
]);
const speaksOfTime = /getTime\(\)|Date\.(now|UTC|parse)\(|\w(Ms|Seconds)\b|\b(ms|seconds)\b/;
const wholeConstant = /^[\d_]+$/;
const sqlFloat = /([^;]{0,60})(::\s*|\bas\s+)(float[48]?|real|double precision)\b/gi;
const sqlMoney = /quantit|amount|price|cost|spend|spent|\bused\b|\bheld\b|total/i;

/** Everything in one file that would make a double of money. */
export function findFloats(path: string, text: string): readonly Finding[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lines = text.split("\n");
  const findings: Finding[] = [];
  const isExempt = (line: number): boolean =>
    /\/\/ float-ok: \S/.test(lines[line] ?? "") || /^\s*\/\/ float-ok: \S/.test(lines[line - 1] ?? "");
  const visit = (node: ts.Node): void => {
    const problem = problemOf(node);
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    if (problem !== undefined && !isExempt(line)) findings.push({ line: line + 1, problem });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

function problemOf(node: ts.Node): string | undefined {
  if (ts.isCallExpression(node)) return problemOfCall(node);
  if (ts.isBinaryExpression(node)) return problemOfOperator(node);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.PlusToken) return "unary + makes a double";
  if (ts.isNumericLiteral(node) && /[.]\d|^[\d_.]+e/i.test(node.getText()))
    return `${node.getText()} is a double: write it as text, "${node.text}"`;
  if (
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isVariableDeclaration(node)
  )
    return problemOfType(node.name, node.type);
  if (ts.isPropertyAssignment(node)) return problemOfSchema(node);
  if (ts.isTemplateLiteralToken(node) || ts.isStringLiteral(node)) return problemOfSql(node.text);
  return undefined;
}

/** Number(x), parseFloat(x), Number.parseFloat(x), x.toNumber(), Math.round(x). */
function problemOfCall({ expression }: ts.CallExpression): string | undefined {
  if (ts.isIdentifier(expression) && makersOfNumbers.has(expression.text)) return `${expression.text}() makes a double`;
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const { name, expression: of } = expression;
  if (name.text === "toNumber") return "toNumber() makes a double";
  if (!ts.isIdentifier(of)) return undefined;
  if (of.text === "Math" && !speaksOfTime.test(expression.parent.getText()))
    return `Math.${name.text}() works on doubles`;
  return of.text === "Number" && makersOfNumbers.has(name.text) ? `Number.${name.text}() makes a double` : undefined;
}

function problemOfOperator({ operatorToken, left, right }: ts.BinaryExpression): string | undefined {
  const sign = arithmetic.get(operatorToken.kind);
  if (sign === undefined) return undefined;
  const operands = [left, right].map((operand) => operand.getText());
  if (operands.every((operand) => wholeConstant.test(operand))) return undefined;
  if (operands.some((operand) => speaksOfTime.test(operand) || /^\d+n$|^BigInt\(/.test(operand))) return undefined;
  return `${sign} works on doubles: use Big's methods`;
}

function problemOfType(name: ts.Node, type: ts.TypeNode | undefined): string | undefined {
  if (type === undefined || !ts.isIdentifier(name) || !isMoney(name.text)) return undefined;
  const parts = ts.isUnionTypeNode(type) ? type.types : [type];
  return parts.some((part) => part.kind === ts.SyntaxKind.NumberKeyword)
    ? `${name.text} is declared as a number: expected text or Big`
    : undefined;
}

function problemOfSchema({ name, initializer }: ts.PropertyAssignment): string | undefined {
  if (!ts.isIdentifier(name) || !isMoney(name.text)) return undefined;
  return /\bz(\.coerce)?\.number\(/.test(initializer.getText())
    ? `${name.text} comes in as a number: expected text`
    : undefined;
}

function problemOfSql(text: string): string | undefined {
  for (const [, before = "", , type] of text.matchAll(sqlFloat))
    if (sqlMoney.test(before)) return `PostgreSQL's ${type} is a double: use numeric`;
  return undefined;
}

/** All findings on the path of money, as "file:line: problem". @throws Error when it reads no file of some part of the path. */
export function floatsOnMoneyPath(root: string): readonly string[] {
  return moneyPath.flatMap((pattern) => {
    const found = globSync(pattern, { cwd: root });
    if (found.length === 0) throw new Error(`the path of money: no file is named ${pattern}`);
    const files = found.filter((file) => !/\.test\.ts$|\/testing\//.test(file)).toSorted();
    return files.flatMap((file) =>
      findFloats(file, readFileSync(`${root}/${file}`, "utf8")).map(
        ({ line, problem }) => `${file}:${line}: ${problem}`,
      ),
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const findings = floatsOnMoneyPath(process.cwd());
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
