/**
 * The packet of a trace: the values of its fields, and of the registers it carries. Fields of different protocols that
 * never meet share a place, as in the switch: an ARP's addresses stand where IPv4's do, ICMP's type where the source port.
 */
import { type Field, field, type FieldName, Match, registerWords, type Subfield } from "../openflow/index.ts";

interface Place {
  readonly name: string;
  readonly shift: number;
  readonly bits: number;
}

const shared: Readonly<Partial<Record<FieldName, string>>> = {
  arp_op: "nw_proto", arp_spa: "ip_src", arp_tpa: "ip_dst", nd_sll: "arp_sha", nd_tll: "arp_tha",
  tcp_src: "tp_src", tcp_dst: "tp_dst", udp_src: "tp_src", udp_dst: "tp_dst", sctp_src: "tp_src", sctp_dst: "tp_dst",
  icmp_type: "tp_src", icmp_code: "tp_dst", icmpv6_type: "tp_src", icmpv6_code: "tp_dst",
};

function placeOf(f: Field): Place {
  switch (f.name) {
    case "ip_dscp": return { name: "nw_tos", shift: 2, bits: 6 };
    case "nw_tos": return { name: "nw_tos", shift: 0, bits: 8 };
    case "nw_ecn": return { name: "nw_tos", shift: 0, bits: 2 };
    case "in_port_oxm": return { name: "in_port", shift: 0, bits: 32 };
    default: return { name: shared[f.name] ?? f.name, shift: 0, bits: f.bits };
  }
}

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

export const ethTypes = { ipv4: 0x800n, arp: 0x806n, rarp: 0x8035n, ipv6: 0x86ddn } as const;
export const protocols = { icmp: 1n, tcp: 6n, udp: 17n, icmpv6: 58n, sctp: 132n } as const;

/** Bits of ct_state. */
export const ctState = { new: 1n, established: 2n, related: 4n, reply: 8n, invalid: 16n, tracked: 32n, srcNat: 64n, dstNat: 128n } as const;

export class PacketFlow {
  readonly #values: Map<string, bigint>;

  constructor(values: Iterable<readonly [string, bigint]> = []) {
    this.#values = new Map(values);
  }

  /** The packet that a microflow describes: what it leaves open is 0. */
  static of(match: Match): PacketFlow {
    const flow = new PacketFlow();
    for (const { field: f, value } of match.terms) flow.#put(placeOf(f), BigInt(value), ones(f.bits));
    return flow;
  }

  clone(): PacketFlow {
    return new PacketFlow(this.#values);
  }

  /** By field name. */
  get(name: FieldName): bigint {
    return this.read(field(name));
  }

  set(name: FieldName, value: bigint): void {
    this.write(field(name), value);
  }

  read(f: Field): bigint {
    const words = registerWords(f);
    if (words !== undefined) return words.reduce((value, word) => (value << 32n) | this.read(word), 0n);
    const { name, shift, bits } = placeOf(f);
    return ((this.#values.get(name) ?? 0n) >> BigInt(shift)) & ones(bits);
  }

  write(f: Field, value: bigint, mask: bigint = ones(f.bits)): void {
    const words = registerWords(f);
    if (words === undefined) return this.#put(placeOf(f), value, mask);
    for (const [i, word] of words.toReversed().entries()) {
      const shift = BigInt(32 * i);
      const part = (mask >> shift) & 0xffffffffn;
      if (part !== 0n) this.write(word, (value >> shift) & 0xffffffffn, part);
    }
  }

  #put({ name, shift, bits }: Place, value: bigint, mask: bigint): void {
    // A narrow field in a wide place (ICMP's type in a port's) fills it.
    const whole = shift === 0 && name !== "nw_tos" && mask === ones(bits);
    const wide = (mask & ones(bits)) << BigInt(shift);
    const old = whole ? 0n : (this.#values.get(name) ?? 0n);
    this.#values.set(name, (old & ~wide) | ((value << BigInt(shift)) & wide));
  }

  readBits({ field: f, offset, bits }: Subfield): bigint {
    return (this.read(f) >> BigInt(offset)) & ones(bits);
  }

  writeBits({ field: f, offset, bits }: Subfield, value: bigint): void {
    const shift = BigInt(offset);
    this.write(f, (value & ones(bits)) << shift, ones(bits) << shift);
  }

  get ethType(): bigint {
    return this.get("eth_type");
  }

  get isIpv4(): boolean {
    return this.ethType === ethTypes.ipv4;
  }

  get isIpv6(): boolean {
    return this.ethType === ethTypes.ipv6;
  }

  get isArp(): boolean {
    return this.ethType === ethTypes.arp || this.ethType === ethTypes.rarp;
  }

  get isIp(): boolean {
    return this.isIpv4 || this.isIpv6;
  }

  /** Whether the packet has the field at all. */
  has({ prerequisite }: Field): boolean {
    const carries = (protocol: bigint): boolean => this.isIp && this.get("nw_proto") === protocol && (this.get("ip_frag") & 2n) === 0n;
    const icmpv6 = (): boolean => this.isIpv6 && this.get("nw_proto") === protocols.icmpv6;
    const nd = (...types: readonly bigint[]): boolean => icmpv6() && types.includes(this.get("icmpv6_type")) && this.get("icmpv6_code") === 0n;
    switch (prerequisite) {
      case "none": case "ethernet": return true;
      case "vlan": return (this.get("vlan_tci") & 0x1000n) !== 0n;
      case "ipv4": return this.isIpv4;
      case "ipv6": return this.isIpv6;
      case "ip": return this.isIp;
      case "arp": return this.isArp;
      case "tcp": return carries(protocols.tcp);
      case "udp": return carries(protocols.udp);
      case "sctp": return carries(protocols.sctp);
      case "icmpv4": return this.isIpv4 && this.get("nw_proto") === protocols.icmp;
      case "icmpv6": return icmpv6();
      case "nd": return nd(135n, 136n);
      case "nd-solicit": return nd(135n);
      case "nd-advert": return nd(136n);
      case "ct": return (this.get("ct_state") & ctState.tracked) !== 0n;
      default: return false;
    }
  }

  /** As ct_clear does. */
  clearConntrack(): void {
    for (const name of ["ct_state", "ct_zone", "ct_mark", "ct_label", "ct_nw_proto", "ct_tp_src", "ct_tp_dst"] as const) this.set(name, 0n);
    if (this.isIpv4) for (const name of ["ct_nw_src", "ct_nw_dst"] as const) this.set(name, 0n);
    else if (this.isIpv6) for (const name of ["ct_ipv6_src", "ct_ipv6_dst"] as const) this.set(name, 0n);
  }

  /** Notes `original`'s addresses and ports as those of the connection's original direction. */
  setOriginalTuple(original: PacketFlow): void {
    const copies: readonly (readonly [FieldName, FieldName])[] = [
      ["ct_nw_proto", "nw_proto"], ["ct_tp_src", "tcp_src"], ["ct_tp_dst", "tcp_dst"],
      ...(original.isIpv4 ? [["ct_nw_src", "ip_src"], ["ct_nw_dst", "ip_dst"]] as const : []),
      ...(original.isIpv6 ? [["ct_ipv6_src", "ipv6_src"], ["ct_ipv6_dst", "ipv6_dst"]] as const : []),
    ];
    for (const [to, from] of copies) this.set(to, original.get(from));
  }
}
