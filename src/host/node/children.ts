/** Child processes by way of node:child_process. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Child, Children } from "../children.ts";

/** `programsFolder` holds the bundles: `ovn-northd.js` and so on. */
export function nodeChildren(programsFolder: string): Children {
  return {
    start(program, args, options): Child {
      const output = openSync(options.outputFile, "a");
      const child = spawn(process.execPath, [join(programsFolder, `${program}.js`), ...args], {
        cwd: options.folder,
        env: { ...process.env, ...Object.fromEntries(options.environment) },
        stdio: ["ignore", output, output],
      });
      closeSync(output);
      const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        child.on("exit", (code, signal) => resolve({ code, signal }));
        child.on("error", () => resolve({ code: 127, signal: null }));
      });
      return { pid: child.pid ?? 0, ended, kill: (signal) => child.kill(signal) };
    },
  };
}
