/** Programs of a line or two. */
import type { Command } from "./command.ts";

export const hostname: Command = {
  name: "hostname",
  summary: "hostname",
  run: (context) => {
    context.out(`${context.host.name}\n`);
    return Promise.resolve(0);
  },
};

export const echo: Command = {
  name: "echo",
  summary: "echo [text ...]",
  run: (context, args) => {
    context.out(`${args.join(" ")}\n`);
    return Promise.resolve(0);
  },
};

export const sleep: Command = {
  name: "sleep",
  summary: "sleep seconds",
  run: (context, [text = ""]) => {
    const seconds = Number(text);
    if (!/^\d*\.?\d+$/.test(text)) {
      context.err(`sleep: invalid time interval '${text}'\n`);
      return Promise.resolve(1);
    }
    return new Promise((resolve) => {
      const timer = context.host.clock.after(seconds * 1000, () => resolve(0));
      context.onInterrupt(() => {
        timer.cancel();
        resolve(130);
      });
    });
  },
};
