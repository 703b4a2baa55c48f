/** What the command's exit code says. Shown by `gristmill help`. */
export const exitCodes = {
  ok: { code: 0, means: "done" },
  failure: { code: 1, means: "the platform or the machine refused; the message says why and what to do" },
  usage: { code: 2, means: "the command line is wrong; nothing was done" },
  interrupted: { code: 130, means: "interrupted by Ctrl-C; what the command had started was cancelled" },
} as const;
