/** Commands of dummy devices, which a daemon has that was started with --enable-dummy. */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import { formatIp, parseIp, parsePrefix } from "../../net/index.ts";
import { type RouteTable, routeTables } from "../native/route-table.ts";
import { ethernetSize } from "../../packet/index.ts";
import { composeFrame, expandFrame } from "../packet/compose-frame.ts";
import { isDatapathFlowError, parseDatapathFlow } from "../packet/datapath-flow-parse.ts";
import type { DummyDevice } from "./dummy-device.ts";
import type { DummyLinks } from "./dummy-links.ts";

/** Of a packet that is described by a flow, unless its size is given. */
const payloadSize = 64;
const minSize = 64;

export function dummyCommands(dummies: DummyLinks, routes: RouteTable): readonly UnixctlCommand[] {
  const device = (name: string | undefined, otherwise: string): DummyDevice => {
    const found = dummies.get(name ?? "");
    if (found === undefined) throw new UnixctlError(otherwise);
    return found;
  };
  return [
    {
      name: "netdev-dummy/receive", usage: "name [--qid queue_id] packet|flow [--len packet_len]", minArgs: 2, maxArgs: Number.POSITIVE_INFINITY,
      run([name, ...rest]) {
        const to = device(name, "no such dummy netdev");
        const words = rest[0] === "--qid" && rest.length > 2 ? rest.slice(2) : rest;
        if (words !== rest && rest[1] !== "0") throw new UnixctlError("bad rx queue id.");
        for (const frame of framesOf(words)) to.receive(frame);
        return "";
      },
    },
    {
      name: "netdev-dummy/set-admin-state", usage: "[netdev] up|down", minArgs: 1, maxArgs: 2,
      run(args) {
        const state = args.at(-1)?.toLowerCase();
        if (state !== "up" && state !== "down") throw new UnixctlError("Invalid Admin State");
        for (const one of args.length > 1 ? [device(args[0], "Unknown Dummy Interface")] : dummies) dummies.setUp(one, state === "up");
        return "OK";
      },
    },
    {
      name: "netdev-dummy/conn-state", usage: "[netdev]", minArgs: 0, maxArgs: 1,
      run([name]) {
        if (name !== undefined) return `${name}: ${connectionText(dummies.get(name)?.isConnected)}\n`;
        return [...dummies].filter((d) => d.isConnected !== undefined).map((d) => `${d.name}: ${connectionText(d.isConnected)}\n`).join("");
      },
    },
    addressCommand("netdev-dummy/ip4addr", "[netdev] ipaddr/mask-prefix-len", 4),
    addressCommand("netdev-dummy/ip6addr", "[netdev] ip6addr", 6),
  ];

  function addressCommand(name: string, usage: string, family: 4 | 6): UnixctlCommand {
    return {
      name, usage, minArgs: 2, maxArgs: 2,
      run([netdev = "", text = ""]) {
        const to = device(netdev, "Unknown Dummy Interface");
        const prefix = parsePrefix(text);
        if (prefix?.family !== family) throw new UnixctlError(`${text}: invalid IP${family === 4 ? "" : "v6"} address`);
        to.addresses.push(prefix);
        const own = { device: netdev, mark: 0, gateway: undefined, isUser: false };
        const source = parseIp(formatIp(prefix));
        routes.add(routeTables.local, { ...own, prefix: { ...prefix, length: family === 4 ? 32 : 128 } }, source);
        routes.add(routeTables.main, { ...own, prefix }, source);
        return "OK";
      },
    };
  }
}

const connectionText = (isConnected: boolean | undefined): string => (isConnected === undefined ? "unknown" : isConnected ? "connected" : "disconnected");

/** Packets in hexadecimal digits, or flows, each perhaps followed by `--len SIZE`. All are read before the first is received. */
function framesOf(words: readonly string[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < words.length; at++) {
    const text = words[at] ?? "";
    const bytes = frameOfHex(text);
    if (bytes !== undefined) {
      frames.push(bytes);
      continue;
    }
    const size = words[at + 1] === "--len" ? Number.parseInt(words[at + 2] ?? "", 10) : undefined;
    if (size !== undefined) at += 2;
    if (size !== undefined && !(size >= minSize)) throw new UnixctlError("too small packet len");
    frames.push(frameOfFlow(text, size));
  }
  return frames;
}

/** Blanks between digits are allowed. */
function frameOfHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, "");
  const isFrame = /^([0-9a-fA-F]{2})+$/.test(digits) && digits.length >= 2 * ethernetSize;
  return isFrame ? new Uint8Array(Buffer.from(digits, "hex")) : undefined;
}

function frameOfFlow(text: string, size: number | undefined): Uint8Array {
  const key = parseDatapathFlow(text);
  if (isDatapathFlowError(key)) throw new UnixctlError(key.error);
  if (size === undefined) return composeFrame(key, payloadSize);
  const frame = composeFrame(key, 0);
  if (frame.length > size) throw new UnixctlError(`the packet needs ${frame.length} bytes`);
  return expandFrame(frame, key, size);
}
