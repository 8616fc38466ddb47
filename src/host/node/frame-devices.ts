/** Network devices of this machine: frames by a pump for each, facts and changes by ip(8). */
import { spawn, spawnSync } from "node:child_process";
import { getSystemErrorName } from "node:util";
import type { DeviceError, DeviceFacts, FrameDevice, FrameDevices } from "../frame-device.ts";
import { FrameReader, frameRecord } from "./device-pump.ts";
import { framePumpScript, offloadPrefixSize } from "./frame-pump.ts";
import { finishFrame, tagFrame } from "./offloads.ts";

/** Frames for a device that does not take them wait up to this many bytes. */
const maxWaitingSize = 1 << 20;
/** Changes come in swarms. */
const gatherMs = 10;

function openDevice(name: string, kind: "tap" | "packet", ...more: readonly string[]): FrameDevice {
  const pump = spawn("perl", ["-e", framePumpScript, kind, name, ...more], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const reader = new FrameReader();
  let receive: (frame: Uint8Array) => void = () => undefined;
  let dropped = 0;
  let isOpen = true;
  let said = "";
  pump.stdin.on("error", () => undefined);
  pump.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (said.length < 4096) said += text;
  });
  const take = (record: Uint8Array): void => {
    if (!isOpen || record.length === 0) return;
    if (kind === "tap") return receive(record);
    const frames = finishFrame(record, record.subarray(offloadPrefixSize));
    if (frames.length === 0) dropped++;
    const [tpid, tci] = [((record[10] ?? 0) << 8) | (record[11] ?? 0), ((record[12] ?? 0) << 8) | (record[13] ?? 0)];
    for (const frame of frames) receive(tpid === 0 ? frame : tagFrame(frame, tpid, tci));
  };
  pump.stdout.on("data", (bytes: Buffer) => {
    const records = reader.push(bytes);
    if (records === undefined) pump.kill("SIGKILL");
    else records.forEach(take);
  });
  const ended = new Promise<DeviceError | undefined>((resolve) => {
    pump.on("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? "", text: `perl: ${error.message}` }));
    pump.on("close", () => resolve(isOpen ? errorOf(said) : undefined));
  });
  return {
    name,
    ended,
    attach(to) {
      receive = to;
    },
    send(frame) {
      if (!isOpen || !pump.stdin.writable || pump.stdin.writableLength > maxWaitingSize) dropped++;
      else pump.stdin.write(frameRecord(frame));
    },
    get dropped() {
      return dropped;
    },
    close() {
      isOpen = false;
      pump.stdin.end();
    },
  };
}

/** From the pump's last line: an error's number and text. */
function errorOf(said: string): DeviceError {
  const [, number = "", text = ""] = /^(\d+) (.*)$/m.exec(said) ?? [];
  return number === "" ? { code: "", text: said.trim().split("\n").at(-1) ?? "" } : { code: getSystemErrorName(-Number(number)), text };
}

/** What `ip -j link` says, by name; what is none of its sentences is passed over. */
export function parseLinks(text: string): ReadonlyMap<string, DeviceFacts> {
  const found = new Map<string, DeviceFacts>();
  let links: unknown;
  try {
    links = JSON.parse(text);
  } catch {
    return found;
  }
  for (const link of Array.isArray(links) ? links : []) {
    if (typeof link !== "object" || link === null) continue;
    const { ifname, ifindex, address, mtu, flags }: Record<string, unknown> = link;
    if (typeof ifname !== "string" || typeof ifindex !== "number" || typeof mtu !== "number" || !Array.isArray(flags)) continue;
    const isUp = flags.includes("UP");
    found.set(ifname, { index: ifindex, mac: typeof address === "string" ? address : "00:00:00:00:00:00", mtu, isUp, isRunning: isUp && flags.includes("LOWER_UP") });
  }
  return found;
}

function ip(...args: readonly string[]): Promise<{ readonly stdout: string; readonly error: string | undefined }> {
  return new Promise((resolve) => {
    const child = spawn("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error) => resolve({ stdout: "", error: `ip: ${error.message}` }));
    child.on("close", (code) => resolve({ stdout, error: code === 0 ? undefined : stderr.trim() }));
  });
}

function watch(changed: () => void): () => void {
  // The shell sees this process's end, however it comes, in that of its standard input; ip(8) would go on until the next change.
  const monitor = spawn("sh", ["-c", "ip monitor link & cat > /dev/null; kill $!"], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, gatherMs);
  };
  monitor.on("error", () => undefined);
  monitor.on("spawn", soon);
  monitor.stdout.on("data", soon);
  monitor.stdin.on("error", () => undefined);
  monitor.unref();
  return () => {
    clearTimeout(timer);
    monitor.stdin.end();
  };
}

export const nodeFrameDevices: FrameDevices = {
  obstacle() {
    if (process.platform !== "linux") return "network devices are opened on Linux only";
    const missing = [["perl", "perl"], ["ip", "iproute2"]].find(([tool = ""]) => spawnSync(tool, ["-V"]).error !== undefined);
    return missing === undefined ? undefined : `network devices need ${missing[0]}: install the package ${missing[1]}`;
  },
  openTap: (name, mac) => openDevice(name, "tap", mac),
  openPacketSocket: (name) => openDevice(name, "packet"),
  list: async () => parseLinks((await ip("-j", "link", "show")).stdout),
  look: (name) => parseLinks(spawnSync("ip", ["-j", "link", "show", "dev", name], { encoding: "utf8" }).stdout ?? "").get(name),
  setMac: async (name, mac) => (await ip("link", "set", "dev", name, "address", mac)).error,
  setMtu: async (name, mtu) => (await ip("link", "set", "dev", name, "mtu", String(mtu))).error,
  watch,
};
