/**
 * From process start to the first reply across zones: `npm run bench -- start [RUNS]`, after a build. Medians (and the best)
 * of wall time as the program prints it, of the main thread's and the whole process' CPU time, and of peak memory.
 *
 * On a busy machine only the CPU times mean anything; wall time comes near the main thread's on a quiet one. Linux only.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Run {
  readonly wallMs: number;
  readonly mainMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();
const runs = Number(process.argv[2] ?? 5);
const clockTickMs = 10;
const read = (path: string): string => readFileSync(path, "utf8");

function sample(pid: number, wallMs: number): Run {
  // Field 14 and 15, counted from behind the parenthesis that closes the name (proc(5)).
  const stat = read(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return {
    wallMs,
    mainMs: Number(read(`/proc/${pid}/task/${pid}/schedstat`).split(" ")[0]) / 1e6,
    cpuMs: (Number(stat[11]) + Number(stat[12])) * clockTickMs,
    peakMb: Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) / 1024,
  };
}

function runOnce(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-start-"));
  const child = spawn(process.execPath, [join(root, "bin/isthmus"), "start", "--once", "--dir", join(folder, "l")], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  let result: Run | undefined;
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (bytes: Buffer) => {
      output += bytes.toString("utf8");
      const reply = /([\d.]+) s {2}first reply/.exec(output);
      if (reply !== null && child.pid !== undefined) result ??= sample(child.pid, Number(reply[1]) * 1000);
    });
    child.on("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`isthmus start --once ended with ${String(code)}:\n${output}`));
    });
  });
}

const results: Run[] = [];
for (let i = 0; i < runs; i++) results.push(await runOnce());
for (const [key, what, unit] of [["wallMs", "wall", "ms"], ["mainMs", "main thread", "ms"], ["cpuMs", "all threads", "ms"], ["peakMb", "peak memory", "MB"]] as const) {
  const values = results.map((r) => r[key]).sort((a, b) => a - b);
  const median = values[Math.floor((values.length - 1) / 2)] ?? 0;
  process.stdout.write(`${what.padEnd(12)} median ${median.toFixed(0).padStart(6)} ${unit}, best ${(values[0] ?? 0).toFixed(0).padStart(6)} ${unit}\n`);
}
