/**
 * Ports that are on several chassis at once, where a physical network joins the chassis: their packets go by tunnel all the
 * same, since that network takes them for one place only. What is too big for the tunnel is answered, as a router would
 * (ovn-architecture(7), tables 52 to 54).
 */
import type { Yield } from "../../engine/index.ts";
import { flagBits, logicalRegisters, openflowTables } from "../../logical/index.ts";
import { parseIp } from "../../net/index.ts";
import { type Action, actionsToBytes, field, type FieldName, Match, of15, subfield } from "../../openflow/index.ts";
import { claimOf } from "../claims.ts";
import { Flow, forgetInPort, inportField, load, onDatapath, outportField, pop, push, resubmit, toPort } from "../flow.ts";
import type { Node } from "../node.ts";
import { kindOf } from "../ports.ts";
import { cookieOf, type PortBinding } from "../rows.ts";
import type { Tunnel } from "../tunnel.ts";
import { toController } from "./controller-action.ts";
import { encapsulate, send } from "./encapsulation.ts";
import type { Keys } from "./local-port.ts";

/** UDP, Geneve with OVN's option or VXLAN, and the inner Ethernet header. */
const overheads = { geneve: 38, vxlan: 30 } as const;
const ipSizes = { 4: 20, 6: 40 } as const;
const ethernetOverhead = 18;
/** REGBIT_PKT_LARGER. */
const tooLarge = { name: "reg9", bit: 1 } as const;

/** Flows from each such port of the datapath to `port`, which is elsewhere. */
export function* multichassisFlows(node: Node, port: PortBinding, keys: Keys, tunnels: readonly Tunnel[]): Iterable<Yield> {
  if (tunnels.length === 0) return;
  const isVtep = kindOf(port) === "vtep";
  const cookie = cookieOf(port);
  for (const source of node.multichassisPortsByDatapath.get(port.datapath)) {
    const actions: Action[] = isVtep ? [forgetInPort] : [];
    for (const tunnel of tunnels) actions.push(...encapsulate(node, tunnel, keys.datapath, keys.port, isVtep), ...send(tunnel));
    yield Flow({
      table: openflowTables.remoteOutput, priority: 110, cookie, match: toPort(keys.datapath, keys.port).with(field(inportField), source.tunnel_key), actions,
    });
    const mtu = mtuTowards(node, source, tunnels);
    if (mtu === undefined) continue;
    for (const family of [4, 6] as const) {
      for (const direction of [inportField, outportField] as const) {
        const match = onDatapath(keys.datapath).with(field("eth_type"), ethTypes[family]).with(field(direction), source.tunnel_key);
        yield* tooBigFlows(match, family, mtu, cookie);
      }
    }
  }
}

const ethTypes = { 4: 0x0800, 6: 0x86dd } as const;

/** What of the port's MTU the worst of the tunnels leaves; undefined where the port has none. */
function mtuTowards(node: Node, source: PortBinding, tunnels: readonly Tunnel[]): number | undefined {
  const mtu = claimOf(node, source)?.iface?.mtu ?? 0;
  if (mtu === 0) return undefined;
  const overhead = Math.max(...tunnels.map(({ type, remoteIp }) => overheads[type] + ipSizes[parseIp(remoteIp)?.family ?? 4]));
  return mtu - overhead;
}

function* tooBigFlows(match: Match, family: 4 | 6, mtu: number, cookie: number): Iterable<Yield> {
  const isLarger = subfield(tooLarge.name, tooLarge.bit, 1);
  yield Flow({
    table: openflowTables.outputLargePktDetect, priority: 100, cookie, match,
    actions: [{ kind: "check_pkt_larger", size: mtu, to: isLarger }, resubmit(openflowTables.outputLargePktProcess)],
  });
  yield Flow({
    table: openflowTables.outputLargePktProcess, priority: 100, cookie, match: match.with(field(tooLarge.name), 1 << tooLarge.bit, 1 << tooLarge.bit),
    actions: [toController("icmp", actionsToBytes(errorActions(family, mtu - ethernetOverhead), of15), true)],
  });
}

const swap = (a: FieldName, b: FieldName): readonly Action[] => [push(a), push(b), pop(a), pop(b)];

/** Makes the packet an ICMP error that goes back to its sender, through the pipeline. */
function errorActions(family: 4 | 6, mtu: number): readonly Action[] {
  const [src, dst]: readonly [FieldName, FieldName] = family === 4 ? ["ip_src", "ip_dst"] : ["ipv6_src", "ipv6_dst"];
  return [
    load(tooLarge.name, 0, tooLarge.bit, 1), load(logicalRegisters.flags, 1, flagBits.allowLoopback, 1),
    ...swap(inportField, outportField), ...swap("eth_dst", "eth_src"), ...swap(dst, src), { kind: "mod_nw_ttl", ttl: 255 },
    ...(family === 4
      ? [load("icmp_type", 3), load("icmp_code", 4), mtuNote(0, mtu, 2)]
      : [load("icmpv6_type", 2), load("icmpv6_code", 0), mtuNote(1, mtu, 4)]),
    resubmit(openflowTables.logIngressPipeline),
  ];
}

/** The MTU is no field of OpenFlow's: the controller reads it from a note (see refusals.ts). */
function mtuNote(fieldNumber: number, mtu: number, size: number): Action {
  const data = new Uint8Array(8 + size);
  data.set([0x6f, 0x76, 0x6e, 0]);
  const view = new DataView(data.buffer);
  view.setUint16(4, fieldNumber);
  if (size === 2) view.setUint16(8, mtu);
  else view.setUint32(8, mtu);
  return { kind: "note", data };
}
