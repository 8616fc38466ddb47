/** `tcpdump`: what passes a network device, in tcpdump's words, for filters as tcpdump takes them. */
import { parseCaptureFilter } from "../../capture-filter/capture-filter.ts";
import { frameText } from "../../frame-text.ts";
import { formatMac } from "../../../net/index.ts";
import { etherType, parseEthernet } from "../../../packet/index.ts";
import { type Command, type CommandContext, parseOptions } from "./command.ts";

export type SeeFrame = (frame: Uint8Array, direction: "in" | "out") => void;

/** Shows the frames of a device until the returned function is called; undefined: there is no such device. */
export type TapDevice = (context: CommandContext, device: string, see: SeeFrame) => (() => void) | undefined;

const usage = "tcpdump [-envx] [-i interface] [-c count] [expression]";

const ownDevices: TapDevice = ({ host }, name, see) => {
  const { devices } = host.ip;
  if (name !== "any") return devices.get(name)?.tap(see);
  const stops = [...devices.values()].filter((device) => device.vlan === undefined).map((device) => device.tap(see));
  return () => stops.forEach((stop) => stop());
};

/** On a machine whose devices are tapped as `tap` says. */
export const tcpdumpOn = (tap: TapDevice): Command => ({
  name: "tcpdump",
  summary: usage,
  run: (context, args) => {
    const options = parseOptions(args, "envqtxXlpSUKc:i:s:B:w:r:");
    if ("unknown" in options || "needsValue" in options) return fail(context, "unknown" in options ? `invalid option -- '${options.unknown}'\nUsage: ${usage}` : `option requires an argument -- '${options.needsValue}'`);
    const { flags, values, words } = options;
    for (const file of ["w", "r"]) if (values.has(file)) return fail(context, `-${file}: a simulated machine has no files; "isthmus capture -w FILE" writes them`);
    const limit = Number(values.get("c") ?? 0);
    if (!/^\d{1,9}$/.test(values.get("c") ?? "0") || (values.has("c") && limit === 0)) return fail(context, `invalid packet count ${values.get("c") ?? ""}`);
    const filter = parseCaptureFilter(words.join(" "));
    if (typeof filter !== "function") return fail(context, `can't parse filter expression: ${filter.wrong}`);
    const device = values.get("i") ?? context.host.device.name;
    const verbosity = args.filter((a) => /^-[a-zA-Z]*v/.test(a)).join("").split("v").length - 1;
    const style: Style = { showsLink: flags.has("e"), isVerbose: verbosity > 0, isAny: device === "any", hex: hexLevel(args), hasTime: !flags.has("t") };
    return watch(context, tap, device, { limit, filter, style });
  },
});

export const tcpdump: Command = tcpdumpOn(ownDevices);

interface Style {
  readonly showsLink: boolean;
  readonly isVerbose: boolean;
  readonly isAny: boolean;
  /** 1: the packet's bytes, 2: the frame's. */
  readonly hex: 0 | 1 | 2;
  readonly hasTime: boolean;
}

function hexLevel(args: readonly string[]): 0 | 1 | 2 {
  const count = args.filter((a) => /^-[a-zA-Z]*x/i.test(a)).join("").split(/x/i).length - 1;
  return count >= 2 ? 2 : count === 1 ? 1 : 0;
}

function fail(context: CommandContext, text: string): Promise<number> {
  context.err(`tcpdump: ${text}\n`);
  return Promise.resolve(1);
}

interface Plan {
  readonly limit: number;
  readonly filter: (frame: Uint8Array) => boolean;
  readonly style: Style;
}

function watch(context: CommandContext, tap: TapDevice, device: string, { limit, filter, style }: Plan): Promise<number> {
  return new Promise((resolve) => {
    let captured = 0;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      stop?.();
      context.onInterrupt(undefined);
      context.err(`${captured} packet${captured === 1 ? "" : "s"} captured\n${captured} packet${captured === 1 ? "" : "s"} received by filter\n0 packets dropped by kernel\n`);
      resolve(0);
    };
    const stop = tap(context, device, (frame, direction) => {
      if (isOver || (limit > 0 && captured >= limit) || !filter(frame)) return;
      captured++;
      context.out(lineOf(context.host.clock.wall(), frame, direction, style));
      // Not at once: whoever shows the frame is still at it.
      if (captured === limit) context.host.clock.after(0, end);
    });
    if (stop === undefined) {
      context.err(`tcpdump: ${device}: No such device exists\n`);
      resolve(1);
      return;
    }
    context.onInterrupt(end);
    const link = style.isAny ? "LINUX_SLL2 (Linux cooked v2)" : "EN10MB (Ethernet)";
    const listening = `listening on ${device}, link-type ${link}, snapshot length 262144 bytes\n`;
    context.err(style.isVerbose ? `tcpdump: ${listening}` : `tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n${listening}`);
  });
}

function lineOf(wallMs: number, frame: Uint8Array, direction: "in" | "out", style: Style): string {
  const time = style.hasTime ? `${new Date(wallMs).toISOString().slice(11, 23)}000 ` : "";
  const way = style.isAny ? `${direction === "in" ? "In " : "Out"} ` : "";
  return `${time}${way}${textOf(frame, style)}\n${style.hex === 0 ? "" : hexDump(style.hex === 2 ? frame : frame.subarray(14))}`;
}

const heads: ReadonlyMap<number, string> = new Map([[etherType.ipv4, "IP "], [etherType.ipv6, "IP6 "], [etherType.arp, "ARP, "]]);

/** Without the link's own header it begins with the protocol; without -v in brief. */
function textOf(frame: Uint8Array, { showsLink, isVerbose, isAny }: Style): string {
  const whole = frameText(frame);
  const ethernet = parseEthernet(frame);
  const head = /^.*?, ethertype (\S+ \(0x[0-9a-f]{4}\)), length (\d+): /.exec(whole);
  if (ethernet === undefined || head === null) return whole;
  let rest = whole.slice(head[0].length);
  let type = ethernet.type;
  if (!showsLink) {
    const tag = /^vlan \d+, p \d+, ethertype (\S+), /.exec(rest);
    if (tag !== null) [rest, type] = [rest.slice(tag[0].length), tag[1] === "IPv4" ? etherType.ipv4 : tag[1] === "IPv6" ? etherType.ipv6 : tag[1] === "ARP" ? etherType.arp : 0];
  }
  if (!isVerbose) rest = rest.replace(/^\(tos .*\)\n {4}/, "").replace(/^\(hlim .*?\) /, "").replace(/^Ethernet \(len 6\), IPv4 \(len 4\), /, "");
  if (!showsLink) return `${heads.get(type) ?? ""}${rest}`;
  return isAny ? `${formatMac(ethernet.src)} ethertype ${head[1] ?? ""}, length ${Number(head[2]) + 2}: ${rest}` : head[0] + rest;
}

function hexDump(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 16) {
    const words = Buffer.from(bytes.subarray(at, at + 16)).toString("hex").replace(/(.{4})(?=.)/g, "$1 ");
    text += `\t0x${at.toString(16).padStart(4, "0")}:  ${words}\n`;
  }
  return text;
}
