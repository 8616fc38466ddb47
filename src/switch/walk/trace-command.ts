/**
 * The command ofproto/trace (ovs-vswitchd(8)). The flow is written as ovs-ofctl writes it, for a bridge, with a port by name or number;
 * or as ovs-dpctl does, and then its input port says which bridge. A packet in hexadecimal digits may stand beside it.
 */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import { formatPort, isTextError, type Match, parseFlow, ports as reserved } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { Datapath } from "../datapath.ts";
import { firstHeaderWord, placeOf, spread, W } from "../flow/flow-key.ts";
import { type PortTexts, portNames } from "../packet/datapath-action-text.ts";
import { isDatapathFlowError, looksLikeDatapathFlow, parseDatapathFlow } from "../packet/datapath-flow-parse.ts";
import { Packet } from "../packet/packet.ts";
import { traceText } from "./trace.ts";

export function traceCommand(datapath: Datapath, bridgeNamed: (name: string) => Bridge | undefined): UnixctlCommand {
  return {
    name: "ofproto/trace", usage: "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]", minArgs: 1, maxArgs: Number.POSITIVE_INFINITY,
    run(args) {
      const names = args.includes("--names") ? portNames((n) => datapath.ports.get(n)?.port.name) : undefined;
      const words = args.filter((a, i) => !a.startsWith("-") && args[i - 1] !== "--ct-next" && args[i - 1] !== "--l7" && args[i - 1] !== "--l7-len");
      const at = words.findIndex(looksLikeDatapathFlow);
      if (at >= 0) return traceDatapathFlow(datapath, words[at] ?? "", words[at + 1], names);
      const [name = "", flow = "", hex] = words;
      const bridge = bridgeNamed(name);
      if (bridge === undefined) throw new UnixctlError(`${name}: unknown bridge`);
      return traceFlow(datapath, bridge, flow, hex, names);
    },
  };
}

function packetOf(hex: string | undefined): Packet {
  if (hex !== undefined && !/^([0-9a-fA-F]{2})+$/.test(hex)) throw new UnixctlError(`${hex}: a packet is given in hexadecimal digits`);
  const packet = new Packet(hex === undefined ? new Uint8Array(0) : new Uint8Array(Buffer.from(hex, "hex")));
  if (hex !== undefined) packet.readHeaders();
  return packet;
}

function traceDatapathFlow(datapath: Datapath, flow: string, hex: string | undefined, names: PortTexts | undefined): string {
  const key = parseDatapathFlow(flow, (name) => datapath.ports.named(name)?.datapathNumber);
  if (isDatapathFlowError(key)) throw new UnixctlError(`${flow}: ${key.error}`);
  const placed = datapath.ports.get(key[W.inPort] ?? 0);
  if (placed === undefined) throw new UnixctlError(`Invalid datapath flow: no port ${key[W.inPort]}`);
  const packet = packetOf(hex);
  packet.key.set(hex === undefined ? key : key.subarray(0, firstHeaderWord));
  return traceText(datapath, placed.bridge, placed.port, placed.port.number, packet, names);
}

function traceFlow(datapath: Datapath, bridge: Bridge, flow: string, hex: string | undefined, names: PortTexts | undefined): string {
  const named = flow.replace(/(^|,)(in_port=)("?)([^,"]+)\3/, (whole, comma: string, key: string, _quote: string, name: string) => {
    const port = bridge.portsByName.get(name);
    return port === undefined ? whole : `${comma}${key}${formatPort(port.number)}`;
  });
  const parsed = parseFlow(named, "delete");
  if (isTextError(parsed)) throw new UnixctlError(`${flow}: ${parsed.error}`);
  const inPort = parsed.match.exact("in_port") ?? reserved.none;
  const packet = packetOf(hex);
  putMatch(packet.key, parsed.match, hex === undefined);
  return traceText(datapath, bridge, bridge.portsByNumber.get(inPort), inPort, packet, names);
}

function putMatch(key: Uint32Array, match: Match, withHeaders: boolean): void {
  for (const { field, value } of match.terms) {
    const place = placeOf(field);
    if (place === undefined || (!withHeaders && place.word >= firstHeaderWord)) continue;
    spread(place, value, (word, bits) => {
      key[word] = (key[word] ?? 0) | bits;
    });
  }
}
