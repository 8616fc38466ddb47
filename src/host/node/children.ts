/** Child processes by way of node:child_process. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildOptions, ChildResult, Children } from "../children.ts";

/** Of what a child says, the rest is dropped: it is for error messages. */
const maxOutputSize = 1 << 20;
/** How long after its end a child's last words may take to arrive. */
const lastWordsMs = 50;

function takeOver([file = "", ...args]: readonly string[]): Promise<number> {
  const ignored = ["SIGINT", "SIGQUIT"] as const;
  const passed = ["SIGTERM", "SIGHUP"] as const;
  const child = spawn(file, args, { stdio: "inherit" });
  // The terminal sends its signals to both; the program decides what they mean.
  for (const signal of ignored) process.on(signal, () => undefined);
  for (const signal of passed) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** Dead, but nobody has asked how it ended: in containers the first process often does not. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // No such file: not Linux, or gone meanwhile.
    return false;
  }
}

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
  const execute = (file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> =>
    new Promise((resolve, reject) => {
      const child = spawn(file, args, { cwd: options.folder, env: { ...process.env, ...Object.fromEntries(options.environment) }, stdio: ["ignore", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (bytes: Buffer) => {
        if (stdout.length < maxOutputSize) stdout += bytes.toString("utf8");
      });
      child.stderr.on("data", (bytes: Buffer) => {
        if (stderr.length < maxOutputSize) stderr += bytes.toString("utf8");
      });
      child.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") resolve({ code: 127, stdout: "", stderr: `${file}: not found\n` });
        else reject(error);
      });
      child.on("exit", (code) => {
        const finish = (): void => resolve({ code: code ?? 128, stdout, stderr });
        child.on("close", finish);
        // A daemon that went into the background may keep the pipes open: what has been said by then is all that is wanted.
        setTimeout(finish, lastWordsMs);
      });
    });
  return {
    run: (program, args, options) => execute(process.execPath, [join(programsFolder, `${program}.js`), ...args], options),
    execute,
    takeOver,
    isRunning: (pid) => signal(pid, 0) && !isZombie(pid),
    signal: (pid, name) => void signal(pid, name),
  };
}
