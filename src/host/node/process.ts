/** The process that Node runs in, and how it goes into the background. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Background, Process, SignalName } from "../process.ts";

/** Set in the environment of a child that has been put into the background; it reports on file descriptor 3. */
const childMark = "ISTHMUS_BACKGROUND_CHILD";
const reportFile = 3;

export function nodeProcess(): Process {
  const background = nodeBackground();
  return {
    pid: process.pid,
    args: process.argv.slice(2),
    folder: process.cwd(),
    variable: (name) => process.env[name],
    usage: () => {
      const { rss, heapUsed } = process.memoryUsage();
      return { residentSize: rss, heapSize: heapUsed };
    },
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    input: () => readFileSync(0, "utf8"),
    exit: (code) => process.exit(code),
    onSignal: (signal, action) => {
      process.on(signal, action);
    },
    dieOf,
    onCrash(action) {
      process.on("uncaughtException", (error) => {
        action(error);
        process.exit(134);
      });
    },
    isRunning,
    background,
  };
}

/** A pipe may be full for a moment (EAGAIN) or its reader gone (EPIPE): wait in the one case, stop in the other. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(file, bytes, written);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      else return;
    }
  }
}

function dieOf(signal: SignalName): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The signal ends the process before this returns, or within the next turn at the latest.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  process.exit(1);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function nodeBackground(): Background {
  const isChild = process.env[childMark] === String(process.ppid);
  // Programs that this one starts are no background children of its own.
  delete process.env[childMark];
  let reported = false;
  return {
    isChild,
    start: startChild,
    ready(message = "") {
      if (!isChild || reported) return;
      reported = true;
      writeAll(reportFile, `${message}\0`);
      closeSync(reportFile);
      for (const file of [1, 2]) {
        closeSync(file);
        // The lowest free descriptor is the one just closed.
        openSync("/dev/null", "a");
      }
    },
  };
}

function startChild(): Promise<{ code: number; message: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "pipe"],
      env: { ...process.env, [childMark]: String(process.pid) },
    });
    let report = "";
    const pipe = child.stdio[3];
    pipe?.on("data", (bytes: Buffer) => {
      report += bytes.toString("utf8");
      if (!report.includes("\0")) return;
      child.unref();
      resolve({ code: 0, message: report.slice(0, report.indexOf("\0")) });
    });
    // An orderly end before readiness hands its code on; a signal counts as a failure.
    child.on("close", (code) => resolve({ code: code ?? 1, message: "" }));
    child.on("error", () => resolve({ code: 1, message: "" }));
  });
}
