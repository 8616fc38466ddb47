/**
 * Machines out of namespaces: unshare(1) makes them, nsenter(1) leads into them. As root plainly; for everybody else inside a
 * user namespace, where the kernel lets everybody have one, and the user is root there (user_namespaces(7)).
 *
 * A machine is held by a shell that waits for the end of its standard input: it ends when it is told to, and also when the
 * process that started it dies, however that happens; being the first of its process namespace, it takes all others along.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { ChildResult } from "../children.ts";
import type { Log } from "../log.ts";
import type { DeviceEnd, Machine, MachineCommand, MachineDevice, MachineOptions, Machines } from "../machine.ts";
import { FrameReader, frameRecord, pumpScript } from "./device-pump.ts";
import { nodeKernelRouting } from "./kernel-routing.ts";

/** Of a command's output, the rest is dropped. */
const maxOutputSize = 1 << 26;
/** Frames for a machine that does not take them wait up to this many bytes. */
const maxWaitingSize = 1 << 20;

const isRoot = (): boolean => process.getuid?.() === 0;

export function nodeMachines(log: Log): Machines {
  const unshare = (): readonly string[] => ["unshare", ...(isRoot() ? [] : ["--user", "--map-root-user"]), "--net", "--mount", "--uts", "--pid"];
  return {
    async obstacle() {
      if (process.platform !== "linux") return "only Linux has network namespaces";
      for (const [tool, source] of [["unshare", "util-linux"], ["nsenter", "util-linux"], ["ip", "iproute2"], ["perl", "perl"]] as const) {
        if ((await run([tool, tool === "ip" || tool === "perl" ? "-V" : "--version"], "")).code === 127) return `${tool} is missing: install the package ${source}`;
      }
      const tried = await run([...unshare(), "--fork", "--mount-proc", "true"], "");
      if (tried.code === 0) return undefined;
      return `no network namespaces (${tried.stderr.trim()}): be root, or let everybody have user namespaces (sysctl kernel.unprivileged_userns_clone=1)`;
    },

    async start(options) {
      const holder = spawn("unshare", [...unshare().slice(1), "--fork", "--kill-child", "--mount-proc", "sh", "-c", holdScript(options)], {
        stdio: ["pipe", "pipe", "pipe"], detached: true,
      });
      await untilReady(holder, `machine ${options.name}`);
      return new NamespaceMachine(options.name, holder, log);
    },
  };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Files below /run are written there; others, which must be here too, are covered by ones that are. */
const fileScript = ([path, content]: readonly [string, string], i: number): string =>
  path.startsWith("/run/")
    ? `printf %s ${quoted(content)} > ${quoted(path)} || exit 1`
    : `if test -f ${quoted(path)}; then printf %s ${quoted(content)} > /run/.own-${i} && mount --bind /run/.own-${i} ${quoted(path)} || exit 1; fi`;

const holdScript = ({ name, emptyFolders, files = new Map() }: MachineOptions): string => `
  hostname ${quoted(name)} 2>/dev/null
  mount -t tmpfs tmpfs /run && mkdir -p /run/netns || exit 1
  for folder in ${emptyFolders.map(quoted).join(" ")}; do
    case "$folder" in /run/*) mkdir -p "$folder";; *) test ! -d "$folder" || mount -t tmpfs tmpfs "$folder" || exit 1;; esac
  done
  ${[...files].map(fileScript).join("\n  ")}
  ip link set lo up || exit 1
  echo ready
  exec cat >/dev/null`;

/** Resolves when the child has printed something; rejects when it ends before. */
function untilReady(child: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = "";
    child.stdout?.once("data", () => resolve());
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < 4096) stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${what}: ${stderr.trim() || `ended with code ${code ?? "?"}`}`)));
    child.stdin?.on("error", () => undefined);
  });
}

class NamespaceMachine implements Machine {
  readonly name: string;
  readonly routing;
  readonly #holder: ChildProcess;
  readonly entry: readonly string[];

  constructor(name: string, holder: ChildProcess, log: Log) {
    this.name = name;
    this.#holder = holder;
    const pid = String(holder.pid);
    const user = isRoot() ? [] : ["--user", "--preserve-credentials"];
    this.entry = ["nsenter", "--target", pid, ...user, "--net", "--mount", "--uts", `--pid=/proc/${pid}/ns/pid_for_children`, "--"];
    this.routing = nodeKernelRouting({ entry: this.entry, log });
  }

  execute(argv: readonly string[], input = ""): Promise<ChildResult> {
    return run([...this.entry, ...argv], input);
  }

  start(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): MachineCommand {
    const [command = "", ...args] = [...this.entry, ...argv];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    child.stdout.on("data", (bytes: Buffer) => output("stdout", bytes));
    child.stderr.on("data", (bytes: Buffer) => output("stderr", bytes));
    return {
      exitCode: new Promise((resolve) => {
        child.on("error", () => resolve(127));
        child.on("close", (code) => resolve(code ?? 130));
      }),
      // The whole group: nsenter does not hand signals on.
      interrupt() {
        if (child.pid === undefined) return;
        try {
          process.kill(-child.pid, "SIGINT");
        } catch {
          // It has ended by itself.
        }
      },
    };
  }

  async openDevice(device: MachineDevice, receive: (frame: Uint8Array) => void): Promise<DeviceEnd> {
    const within = device.namespace === undefined ? [] : ["ip", "netns", "exec", device.namespace];
    const [command = "", ...args] = [...this.entry, ...within, "perl", "-e", pumpScript, device.name, device.mac, String(device.mtu)];
    const pump = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const ended = new Promise<void>((resolve) => void pump.on("close", () => resolve()));
    const reader = new FrameReader();
    let dropped = 0;
    const ready = untilReady(pump, `device ${device.name} of ${this.name}`);
    pump.stdout.on("data", (bytes: Buffer) => {
      const frames = reader.push(bytes);
      if (frames === undefined) pump.kill("SIGKILL");
      else for (const frame of frames) if (frame.length > 0) receive(frame);
    });
    await ready;
    return {
      send(frame) {
        if (pump.stdin.writableLength > maxWaitingSize || !pump.stdin.writable) dropped++;
        else pump.stdin.write(frameRecord(frame));
      },
      get dropped() {
        return dropped;
      },
      ended,
      close: () => void pump.stdin.end(),
    };
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return resolve();
      this.#holder.on("close", () => resolve());
      this.#holder.stdin?.end();
    });
  }
}

function run([command = "", ...args]: readonly string[], input: string): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    const texts = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        if (texts[stream].length < maxOutputSize) texts[stream] += chunk;
      });
    }
    child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    // "exit": a daemon that went into the background may keep the pipes open; what the command itself said has come a turn later.
    child.on("exit", (code) => void setTimeout(() => resolve({ code: code ?? 128, ...texts }), 5));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
