/** @file Numbers, sizes and times as people read them. */

const groups = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 60000 → "60,000". */
export const formatCount = (value: number): string => groups.format(value);

/** 1 → "1 entry", 2500 → "2,500 entries". */
export const counted = (value: number, one: string, many: string): string =>
  `${formatCount(value)} ${value === 1 ? one : many}`;

/** 54950096 → "54.9 MB": powers of 1000, three digits. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** 0.98421 → "98.42 %". */
export const formatShare = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)} %`;

/** 75.4 seconds → "1m 15s"; under ten seconds with one decimal. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours > 0) return `${hours}h ${String(minutes).padStart(2, "0")}m`;
  return minutes > 0 ? `${minutes}m ${String(rest).padStart(2, "0")}s` : `${rest}s`;
}

/** A time of the API as "2026-01-31 09:30", in UTC. */
export const formatTime = (timestamp: string): string =>
  new Date(timestamp).toISOString().slice(0, 16).replace("T", " ");

/** An exact decimal with its whole part in groups of three: "54950096.50" → "54,950,096.5". */
export function formatDecimal(text: string): string {
  const [whole = "0", fraction = ""] = text.split(".");
  const rest = fraction.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest === "" ? "" : `.${rest}`);
}

/** A measured value: accuracies as a share, all else with four digits after the point. */
export const formatMetric = (name: string, value: number): string =>
  /accuracy$/i.test(name) ? formatShare(value) : value.toFixed(4);

/** Metrics in one line: "loss 0.0512  accuracy 98.42 %". */
export const formatMetrics = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value)}`)
    .join("  ");

/** At most so many characters; what was cut off is said by "…". */
export const shortened = (text: string, most: number): string => {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
};
