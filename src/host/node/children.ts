/** Child processes by way of node:child_process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { ChildResult, Children } from "../children.ts";

/** Of what a child says, the rest is dropped: it is for error messages. */
const maxOutputSize = 1 << 20;

/** `programsFolder` holds the bundles: `ovn-northd.js` and so on. */
export function nodeChildren(programsFolder: string): Children {
  const signal = (pid: number, name: "SIGTERM" | "SIGKILL" | 0): boolean => {
    try {
      return process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  };
  return {
    run(program, args, options): Promise<ChildResult> {
      return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [join(programsFolder, `${program}.js`), ...args], {
          cwd: options.folder,
          env: { ...process.env, ...Object.fromEntries(options.environment) },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let stdout = "";
        let stderr = "";
        child.stdout.on("data", (bytes: Buffer) => {
          if (stdout.length < maxOutputSize) stdout += bytes.toString("utf8");
        });
        child.stderr.on("data", (bytes: Buffer) => {
          if (stderr.length < maxOutputSize) stderr += bytes.toString("utf8");
        });
        child.on("error", reject);
        // "exit", not "close": a daemon that went into the background may keep the pipes open for a while.
        child.on("exit", (code) => resolve({ code: code ?? 128, stdout, stderr }));
      });
    },
    isRunning: (pid) => signal(pid, 0),
    signal: (pid, name) => void signal(pid, name),
  };
}
