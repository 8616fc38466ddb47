/** Random flows and messages for property tests: made of fields whose prerequisites hold, so that any OpenFlow switch takes them. */
import type { SeededRandom } from "../std/index.ts";
import type { Action } from "./action/action.ts";
import { allFields, type Field, field, type FieldValue } from "./match/field.ts";
import type { FieldName } from "./match/field-table.ts";
import { exactMask, Match, MatchBuilder } from "./match/match.ts";
import type { FlowMod } from "./message/flow.ts";
import { noBuffer } from "./message/packet.ts";
import { meetsPrerequisite } from "./match/oxm-match.ts";
import { ports } from "./message/port.ts";
import { type Subfield } from "./match/subfield.ts";

export function randomBits(random: SeededRandom, bits: number): bigint {
  let value = 0n;
  for (let i = 0; i < bits; i += 32) value = (value << 32n) | BigInt(random.next32());
  return value & ((1n << BigInt(bits)) - 1n);
}

const fit = (f: Field, value: bigint): FieldValue => (f.isWide ? value : Number(value));

/** Fields that matches may name freely: what is decided first (Ethernet type, protocol, tag, port) and what only views others is left out; and what only Open vSwitch 3.7 knows. */
const excluded = new Set<FieldName>([
  "eth_type", "nw_proto", "vlan_tci", "dl_vlan", "vlan_vid", "dl_vlan_pcp", "vlan_pcp", "in_port", "in_port_oxm", "packet_type", "recirc_id", "dp_hash",
  "skb_priority", "tun_ttl", "tun_tos", "actset_output", "ct_nw_proto", "icmpv6_type", "ip_dscp", "nw_tos", "ip_frag", "tun_flags", "mpls_bos",
]);
const matchable = allFields.filter((f) => !excluded.has(f.name) && !f.isVariable && !/^reg(1[6-9]|[23])|^xreg([89]|1)|^xxreg[4-7]|^nsh|^tun_(erspan|gtpu|gbp)|^ct_(nw|tp|ipv6)|^nd_(reserved|options)/.test(f.name));

export function randomMatch(random: SeededRandom): Match {
  const b = new MatchBuilder();
  const ethType = random.pick([0, 0x0800, 0x86dd, 0x0806, 0x8847, 0x88cc]);
  if (ethType !== 0) b.add(field("eth_type"), ethType);
  if (ethType === 0x0800 || ethType === 0x86dd) {
    const protocol = random.pick([0, 6, 17, 132, ethType === 0x0800 ? 1 : 58, 89]);
    if (protocol !== 0) b.add(field("nw_proto"), protocol);
    if (protocol === 58 && random.chance(0.7)) b.add(field("icmpv6_type"), random.pick([135, 136, 128]));
    if (random.chance(0.3)) b.add(field("nw_tos"), random.below(64) << 2);
    if (random.chance(0.2)) b.add(field("ip_frag"), random.pick([0, 1]), random.pick([1, 3]));
  }
  if (random.chance(0.3)) b.add(field("vlan_vid"), 0x1000 | random.below(4096));
  if (random.chance(0.5)) b.add(field("in_port"), 1 + random.below(200));
  for (let i = random.below(7); i > 0; i--) {
    const f = random.pick(matchable);
    if (!meetsPrerequisite(f, b)) continue;
    const mask = f.maskable && random.chance(0.4) ? fit(f, randomBits(random, f.bits)) : exactMask(f);
    // Of ARP's operation a switch keeps eight bits.
    b.add(f, fit(f, randomBits(random, f.name === "arp_op" ? 8 : f.bits)), mask);
  }
  return b.build();
}

const registers = allFields.filter((f) => /^(reg\d|reg1[0-5]|xreg[0-7]|xxreg[0-3]|metadata|pkt_mark|tun_id|ct_mark|eth_src|eth_dst)$/.test(f.name));

function randomSubfield(random: SeededRandom, maxBits = 64): Subfield {
  const f = random.pick(registers.filter((r) => r.name !== "ct_mark"));
  const bits = 1 + random.below(Math.min(f.bits, maxBits));
  return { field: f, offset: random.below(f.bits - bits + 1), bits };
}

const within = (random: SeededRandom, s: Subfield): Subfield => {
  const wide = registers.filter((f) => f.bits >= s.bits && f.name !== "ct_mark");
  const f = random.pick(wide);
  return { field: f, offset: random.below(f.bits - s.bits + 1), bits: s.bits };
};

export function randomAction(random: SeededRandom, depth = 0): Action {
  const makers: readonly (() => Action)[] = [
    () => ({ kind: "output", port: random.pick([1, 2, 77, ports.inPort, ports.local, ports.normal, ports.flood]) }),
    () => ({ kind: "output", port: ports.controller, maxLength: random.below(65536) }),
    () => ({ kind: "output_reg", from: { field: field("reg15"), offset: 0, bits: 32 }, maxLength: 0xffff }),
    () => ({ kind: "controller", maxLength: random.pick([0xffff, 128]), controllerId: random.below(3), reason: "action", userdata: random.bytes(1 + random.below(30)), ...(random.chance(0.5) && { pause: true }) }),
    () => ({ kind: "group", group: random.below(1000) }),
    () => ({ kind: "resubmit", port: ports.inPort, table: random.below(255) }),
    () => ({ kind: "resubmit", port: 1 + random.below(9), table: random.below(255), ct: true }),
    () => {
      const f = random.pick(registers.filter((r) => r.name !== "ct_mark"));
      return { kind: "set_field", field: f, value: fit(f, randomBits(random, f.bits)), mask: f.full };
    },
    () => {
      const from = randomSubfield(random);
      return { kind: "move", from, to: within(random, from) };
    },
    () => ({ kind: "push", from: randomSubfield(random, 128) }),
    () => ({ kind: "pop", to: randomSubfield(random, 128) }),
    () => ({ kind: "ct_clear" }),
    () => ({ kind: "set_queue", queue: random.next32() }),
    () => ({ kind: "check_pkt_larger", size: random.below(9000), to: { field: field("reg10"), offset: random.below(32), bits: 1 } }),
    () => ({ kind: "multipath", fields: "eth_src", basis: random.below(65536), algorithm: "modulo_n", links: 1 + random.below(16), argument: 0, to: { field: field("reg0"), offset: 0, bits: 16 } }),
    () => ({ kind: "sample", probability: 1 + random.below(65535), collectorSet: random.next32(), domain: random.next32(), point: random.next32(), samplingPort: ports.none }),
    () => ({ kind: "note", data: random.bytes(6) }),
    () => ({ kind: "clone", actions: depth > 1 ? [] : randomActions(random, depth + 1) }),
    () => ({
      kind: "learn", idleTimeout: random.below(9), hardTimeout: random.below(9), finIdleTimeout: 0, finHardTimeout: 0, priority: random.below(65536),
      cookie: randomBits(random, 64), table: random.below(254), sendFlowRemoved: random.chance(0.5), deleteLearned: random.chance(0.5), limit: 0,
      specs: [
        { to: "match", from: { kind: "field", source: { field: field("eth_src"), offset: 0, bits: 48 } }, bits: 48, target: { field: field("eth_dst"), offset: 0, bits: 48 } },
        { to: "load", from: { kind: "immediate", value: randomBits(random, 12) }, bits: 12, target: { field: field("reg3"), offset: 3, bits: 12 } },
        { to: "output", from: { kind: "field", source: { field: field("reg3"), offset: 0, bits: 16 } }, bits: 16 },
      ],
    }),
  ];
  return random.pick(makers)();
}

export function randomActions(random: SeededRandom, depth = 0): Action[] {
  return Array.from({ length: 1 + random.below(5) }, () => randomAction(random, depth));
}

export function randomFlowMod(random: SeededRandom): FlowMod {
  return {
    kind: "flow_mod", command: "add", table: random.below(254), cookie: randomBits(random, 64), cookieMask: 0n, idleTimeout: random.below(100),
    hardTimeout: random.below(100), priority: random.below(65536), bufferId: noBuffer, outPort: ports.none, outGroup: 0xffffffff, importance: 0,
    flags: random.chance(0.3) ? { sendFlowRemoved: true } : {}, match: randomMatch(random), actions: randomActions(random),
  };
}
