/** @file Formats of strings as regular expressions. They have fewer texts than the standards where these are not regular. */

const leapYear = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
/** RFC 3339, with the days that each month has. */
const date = `(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|${leapYear}-02-29)`;
/** RFC 3339, without leap seconds. */
const time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
const timeSpan = "T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S)";
const daySpan = "(?:\\d+Y(?:\\d+M(?:\\d+D)?)?|\\d+M(?:\\d+D)?|\\d+D)";
/** Four of them and their dots have fewer than the 253 characters that a host may have. */
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,59}[A-Za-z0-9])?";
const host = `${label}(?:\\.${label}){0,3}`;
const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const group = "[0-9A-Fa-f]{1,4}";
/** RFC 4291 without addresses of version 4 at the end: eight groups, or fewer with one gap. */
const ipv6 = [
  `(?:${group}:){7}${group}`,
  `(?:${group}:){1,7}:`,
  ...[1, 2, 3, 4, 5, 6].map((after) => `(?:${group}:){1,${7 - after}}(?::${group}){1,${after}}`),
  `:(?:(?::${group}){1,7}|:)`,
].join("|");
const segment = "[A-Za-z0-9._~!$&'()*+,;=:@-]*";

/** What each format's strings match, all of them. */
export const formatPatterns: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  duration: `P(?:${daySpan}(?:${timeSpan})?|${timeSpan}|\\d+W)`,
  email: `[A-Za-z0-9_+-]+(?:\\.[A-Za-z0-9_+-]+)*@(?:${label}\\.){1,3}[A-Za-z]{2,60}`,
  hostname: host,
  ipv4: `${octet}(?:\\.${octet}){3}`,
  ipv6,
  uuid: "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
  uri: `[A-Za-z][A-Za-z0-9+.-]*://${host}(?::\\d{1,5})?(?:/${segment})*(?:\\?${segment})?(?:#${segment})?`,
};
