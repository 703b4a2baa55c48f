/** @file What all pictures share: the frame, the fonts and the colours, by day and by night. */
import { escapeXml } from "./text.ts";

/** Colours of curves and kinds, told apart also by people who see few colours (after Okabe and Ito, quieter). */
const series = {
  light: ["#3a6fb5", "#d2762b", "#3c946a", "#8162ad", "#bf4f5d", "#2b93a0", "#a0842c", "#6c7686"],
  dark: ["#7fabe8", "#eda466", "#74c69d", "#b59ce0", "#e88a95", "#6bc4cf", "#d6ba66", "#a3adbd"],
} as const;

/** How many colours there are; the class of the first is `c0`. */
export const colorCount: number = series.light.length;

const inks = {
  light: {
    paper: "#ffffff",
    ink: "#1d2330",
    soft: "#667085",
    grid: "#e9ebf0",
    axis: "#b9c0cc",
    box: "#f8f9fb",
    edge: "#8b95a7",
    on: "#ffffff",
  },
  dark: {
    paper: "#14171d",
    ink: "#e7eaf0",
    soft: "#98a2b3",
    grid: "#262b35",
    axis: "#4a5261",
    box: "#1c2028",
    edge: "#7a8597",
    on: "#10131a",
  },
} as const;

/** No variables: some programs that show SVG do not know them. */
function rules(mode: "light" | "dark"): string {
  const { paper, ink, soft, grid, axis, box, edge, on } = inks[mode];
  const colors = series[mode].map((color, i) => `.c${i}{stroke:${color}}.f${i}{fill:${color}}`).join("");
  return (
    `.paper{fill:${paper}}.ink{fill:${ink}}.soft{fill:${soft}}.on{fill:${on}}` +
    `.grid{stroke:${grid}}.axis{stroke:${axis}}.edge{stroke:${edge}}.arrow{fill:${edge}}` +
    `.box{fill:${box};stroke:${axis}}.group{fill:${grid};stroke:none}${colors}`
  );
}

const style =
  `text{font-family:Inter,"Segoe UI",system-ui,-apple-system,Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}` +
  `.title{font-size:15px;font-weight:600}.name{font-size:13px;font-weight:600}.label{font-size:12px}.small{font-size:11px}.strong{font-weight:600}` +
  `.curve{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:5 4}` +
  `.grid,.axis{stroke-width:1;fill:none}.edge{stroke-width:1.4;fill:none}` +
  `${rules("light")}@media (prefers-color-scheme:dark){${rules("dark")}}`;

/** A picture as a whole file. `title` is what screen readers say. */
export function svgDocument(title: string, width: number, height: number, parts: readonly string[]): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${w}" height="${h}"/>`,
    ...parts.filter((part) => part !== ""),
    "</svg>",
    "",
  ].join("\n");
}

/** A number in a path, at most two digits behind the point. */
export const place = (value: number): string => String(Math.round(value * 100) / 100);

/** Where and how a text stands. */
export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly classes: string;
  readonly anchor?: "start" | "middle" | "end";
  /** Degrees around its place, clockwise. */
  readonly turn?: number;
  /** What is shown when pointed at; for texts that had to be shortened. */
  readonly whole?: string;
}

/** A text; nothing for an empty one. */
export function svgText(text: string, { x, y, classes, anchor = "start", turn, whole }: TextPlace): string {
  if (text === "") return "";
  const turned = turn === undefined ? "" : ` transform="rotate(${turn} ${place(x)} ${place(y)})"`;
  const full = whole === undefined || whole === text ? "" : `<title>${escapeXml(whole)}</title>`;
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text class="${classes}" x="${place(x)}" y="${place(y)}"${anchored}${turned}>${full}${escapeXml(text)}</text>`;
}
