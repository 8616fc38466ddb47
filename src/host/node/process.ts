/** The process that Node runs in, and how it goes into the background. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Background, BackgroundManner, Process, SignalName } from "../process.ts";

/** Set in the environment of a child that has been put into the background; it reports on file descriptor 3. */
const childMark = "ISTHMUS_BACKGROUND_CHILD";
const reportFile = 3;
/** Set in the environment of a child whose pid file has been written and locked for it. */
const heldMark = "ISTHMUS_HELD_PIDFILE";

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
    out: (text) => writeAll(1, Buffer.from(text)),
    outBytes: (bytes) => writeAll(1, bytes),
    err: (text) => writeAll(2, Buffer.from(text)),
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
function writeAll(file: number, bytes: Uint8Array): void {
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
  const heldPidfile = isChild ? process.env[heldMark] : undefined;
  // Programs that this one starts are no background children of its own.
  delete process.env[childMark];
  delete process.env[heldMark];
  let reported = false;
  return {
    isChild,
    heldPidfile,
    start: startChild,
    ready(message = "", { keeps = [] } = {}) {
      if (!isChild || reported) return;
      reported = true;
      writeAll(reportFile, Buffer.from(`${message}\0`));
      closeSync(reportFile);
      for (const [file, kept] of [[1, "output"], [2, "errors"]] as const) {
        if (keeps.includes(kept)) continue;
        closeSync(file);
        // The lowest free descriptor is the one just closed.
        openSync("/dev/null", "a");
      }
    },
  };
}

/**
 * C's ovs-appctl believes a pid file only if the process it names holds a POSIX lock on it, and Node cannot lock files. Locks
 * and process numbers outlive exec, though: a Perl (part of every Debian) writes and locks the file and then becomes the Node
 * that is to hold it. If another process holds the file, or there is no Perl, Node comes up without and says what is wrong.
 */
const perl = "/usr/bin/perl";
const lockAndBecome = `
  my ($path, @command) = @ARGV;
  my $lock = pack("ssx4qqix4", 1, 0, 0, 0, 0);
  my $taken = 0;
  if (open(my $old, "+<", $path)) { my $asked = $lock; fcntl($old, 5, $asked) and $taken = unpack("s", $asked) != 2; }
  if (!$taken && open(our $file, ">", "$path.tmp$$")) {
    fcntl($file, 2, 0);
    if (fcntl($file, 6, $lock)) {
      syswrite($file, "$$\\n");
      if (rename("$path.tmp$$", $path)) { $ENV{${heldMark}} = $path; } else { unlink("$path.tmp$$"); }
    }
  }
  exec(@command);`;

function startChild(pidfile?: string, { keeps = [] }: BackgroundManner = {}): Promise<{ code: number; message: string }> {
  return new Promise((resolve) => {
    const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    // The layout of the lock's structure is that of 64-bit Linux.
    const locks = pidfile !== undefined && process.platform === "linux" && ["x64", "arm64"].includes(process.arch) && existsSync(perl);
    const [command = process.execPath, ...args] = locks ? [perl, "-e", lockAndBecome, pidfile, ...again] : again;
    const child = spawn(command, args, {
      detached: true,
      stdio: ["ignore", keeps.includes("output") ? "inherit" : "ignore", "inherit", "pipe"],
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
