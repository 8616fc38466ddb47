/**
 * Capture filters as tcpdump takes them (pcap-filter(7)), made into a test of frames:
 *
 *     icmp
 *     vlan 50 and udp port 6081
 *     host 10.0.0.10 and not arp
 *     udp[10:2] = 0x6558 and udp[8 + (4 * (2 + (udp[8:1] & 0x3f))) + 14 + 9:1] = 1
 *     geneve 5 and icmp
 *
 * `and` and `or` bind equally and from the left. After `vlan` and `geneve` the rest looks behind the tag, inside the tunnel.
 */
import { etherType, ipProtocol, readU16, readU32 } from "../../packet/index.ts";
import { parseMac } from "../../net/index.ts";
import { addressIs, both, type FrameTest, hasBroadcastMac, hasGroupMac, macAt, portIs, prefixOf, protocolIs } from "./frame-tests.ts";
import { type FrameView, geneveAt, insideGeneve, liveFrame, transportAt, wholeFrame } from "./frame-view.ts";
import { type Token, tokensOf } from "./tokens.ts";

export type { FrameTest };

class Refusal extends Error {}

/** Bounds how deep parentheses may go. */
const maxDepth = 64;
const maxLength = 4096;

/** For frames as they come by, or as they stand in a file (see `frame-view.ts`). An empty expression selects everything. */
export function parseCaptureFilter(text: string, from: "live" | "file" = "live"): FrameTest | { readonly wrong: string } {
  if (text.trim() === "") return () => true;
  if (text.length > maxLength) return { wrong: `a filter of at most ${maxLength} characters` };
  const tokens = tokensOf(text);
  if ("illegalAt" in tokens) return { wrong: `illegal token: ${text.slice(tokens.illegalAt, tokens.illegalAt + 10)}` };
  try {
    return new FilterParser(tokens, from === "live" ? liveFrame : wholeFrame).whole();
  } catch (error) {
    if (error instanceof Refusal) return { wrong: error.message };
    throw error;
  }
}

type Value = (frame: Uint8Array) => number | undefined;

const protocols: ReadonlyMap<string, number> = new Map([
  ["icmp", ipProtocol.icmp], ["icmp6", ipProtocol.icmpv6], ["tcp", ipProtocol.tcp], ["udp", ipProtocol.udp], ["sctp", ipProtocol.sctp], ["igmp", ipProtocol.igmp], ["vrrp", 112],
]);
const etherTypes: ReadonlyMap<string, number> = new Map([["ip", etherType.ipv4], ["ip6", etherType.ipv6], ["arp", etherType.arp], ["rarp", etherType.rarp]]);
const constants: ReadonlyMap<string, number> = new Map([
  ["icmptype", 0], ["icmpcode", 1], ["icmp6type", 0], ["icmp6code", 1], ["tcpflags", 13], ["icmp-echoreply", 0], ["icmp-unreach", 3], ["icmp-redirect", 5], ["icmp-echo", 8], ["icmp-timxceed", 11],
  ["tcp-fin", 1], ["tcp-syn", 2], ["tcp-rst", 4], ["tcp-push", 8], ["tcp-ack", 16],
]);
const comparisons: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ["=", (a, b) => a === b], ["==", (a, b) => a === b], ["!=", (a, b) => a !== b], ["<", (a, b) => a < b], [">", (a, b) => a > b], ["<=", (a, b) => a <= b], [">=", (a, b) => a >= b],
]);
/** By strength, the weakest first. */
const operators: readonly ReadonlyMap<string, (a: number, b: number) => number>[] = [
  new Map([["|", (a: number, b: number) => (a | b) >>> 0], ["^", (a: number, b: number) => (a ^ b) >>> 0]]),
  new Map([["&", (a: number, b: number) => (a & b) >>> 0]]),
  new Map([["<<", (a: number, b: number) => (a << b) >>> 0], [">>", (a: number, b: number) => a >>> b]]),
  new Map([["+", (a: number, b: number) => (a + b) >>> 0], ["-", (a: number, b: number) => (a - b) >>> 0]]),
  new Map([["*", (a: number, b: number) => Math.imul(a, b) >>> 0], ["/", (a: number, b: number) => (b === 0 ? Number.NaN : Math.floor(a / b))], ["%", (a: number, b: number) => (b === 0 ? Number.NaN : a % b)]]),
];

class FilterParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #view: FrameView;

  constructor(tokens: readonly Token[], view: FrameView) {
    this.#tokens = tokens;
    this.#view = view;
  }

  whole(): FrameTest {
    const test = this.#expression();
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new Refusal(`syntax error near "${rest.text}"`);
    return test;
  }

  #takes(...texts: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !texts.includes(token.text)) return undefined;
    this.#at++;
    return token.text;
  }

  #need(text: string): void {
    if (this.#takes(text) === undefined) throw new Refusal(`expected "${text}" ${this.#where()}`);
  }

  #where(): string {
    const token = this.#tokens[this.#at];
    return token === undefined ? "at the end" : `before "${token.text}"`;
  }

  #expression(): FrameTest {
    if (++this.#depth > maxDepth) throw new Refusal("too many parentheses");
    let left = this.#term();
    for (;;) {
      const joint = this.#takes("and", "&&", "or", "||");
      if (joint === undefined) break;
      const [a, b] = [left, this.#term()];
      left = joint === "and" || joint === "&&" ? (frame) => a(frame) && b(frame) : (frame) => a(frame) || b(frame);
    }
    this.#depth--;
    return left;
  }

  #term(): FrameTest {
    if (this.#takes("not", "!") !== undefined) {
      if (++this.#depth > maxDepth) throw new Refusal("too many negations");
      const inner = this.#term();
      this.#depth--;
      return (frame) => !inner(frame);
    }
    const relation = this.#attempt(() => this.#relation());
    if (relation !== undefined) return relation;
    if (this.#takes("(") === undefined) return this.#primitive();
    const inner = this.#expression();
    this.#need(")");
    return inner;
  }

  /** A parenthesis may begin a sum or a test: whichever it is, the other is taken back. */
  #attempt<T>(parse: () => T): T | undefined {
    const [at, view, depth] = [this.#at, this.#view, this.#depth];
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      [this.#at, this.#view, this.#depth] = [at, view, depth];
      return undefined;
    }
  }

  #relation(): FrameTest {
    const left = this.#sum(0);
    const token = this.#tokens[this.#at];
    const compare = token === undefined ? undefined : comparisons.get(token.text);
    if (compare === undefined) throw new Refusal(`expected a comparison ${this.#where()}`);
    this.#at++;
    const right = this.#sum(0);
    return (frame) => {
      const [a, b] = [left(frame), right(frame)];
      return a !== undefined && b !== undefined && compare(a, b);
    };
  }

  #sum(strength: number): Value {
    const level = operators[strength];
    if (level === undefined) return this.#operand();
    let left = this.#sum(strength + 1);
    for (;;) {
      const operate = level.get(this.#tokens[this.#at]?.text ?? "");
      if (operate === undefined) return left;
      this.#at++;
      const [a, b] = [left, this.#sum(strength + 1)];
      left = (frame) => {
        const [x, y] = [a(frame), b(frame)];
        const result = x === undefined || y === undefined ? undefined : operate(x, y);
        return Number.isNaN(result) ? undefined : result;
      };
    }
  }

  #operand(): Value {
    if (++this.#depth > maxDepth) throw new Refusal("too many parentheses");
    const value = this.#operandItself();
    this.#depth--;
    return value;
  }

  #operandItself(): Value {
    const token = this.#tokens[this.#at++];
    if (token?.kind === "number") return () => token.value;
    if (token?.text === "(") {
      const inner = this.#sum(0);
      this.#need(")");
      return inner;
    }
    if (token?.kind === "word") {
      const constant = constants.get(token.text);
      if (constant !== undefined) return () => constant;
      if (token.text === "len") return (frame) => frame.length;
      if (this.#tokens[this.#at]?.text === "[") return this.#accessor(token.text);
    }
    this.#at--;
    throw new Refusal(`expected a number ${this.#where()}`);
  }

  /** `udp[10:2]`: so many bytes of a header, from so many behind its beginning. */
  #accessor(header: string): Value {
    const view = this.#view;
    const begin = this.#headerOffset(header, view);
    this.#need("[");
    const offset = this.#sum(0);
    const size = this.#takes(":") === undefined ? 1 : this.#number();
    this.#need("]");
    if (![1, 2, 4].includes(size)) throw new Refusal("data size must be 1, 2, or 4");
    return (frame) => {
      const [at, more] = [begin(frame), offset(frame)];
      if (at === undefined || more === undefined || at + more + size > frame.length) return undefined;
      return size === 1 ? frame[at + more] : size === 2 ? readU16(frame, at + more) : readU32(frame, at + more);
    };
  }

  #headerOffset(header: string, view: FrameView): Value {
    if (header === "ether" || header === "link") return view.ethernet;
    const type = etherTypes.get(header);
    if (type !== undefined) return (frame) => (view.type(frame) === type ? view.network(frame) : undefined);
    const protocol = protocols.get(header);
    if (protocol === undefined) throw new Refusal(`"${header}" is no header that a filter can look into`);
    return (frame) => transportAt(view, frame, protocol);
  }

  #number(): number {
    const token = this.#tokens[this.#at++];
    if (token?.kind === "number") return token.value;
    this.#at--;
    throw new Refusal(`expected a number ${this.#where()}`);
  }

  #primitive(): FrameTest {
    const view = this.#view;
    const word = this.#tokens[this.#at];
    if (word === undefined) throw new Refusal("syntax error at the end");
    if (word.text === "vlan") return this.#vlan(view);
    if (word.text === "geneve") return this.#geneve(view);
    const bound = this.#takes("less", "greater");
    if (bound !== undefined) {
      const size = this.#number();
      return bound === "less" ? (frame) => frame.length <= size : (frame) => frame.length >= size;
    }
    if (this.#takes("broadcast") !== undefined) return hasBroadcastMac(view);
    if (this.#takes("multicast") !== undefined) return hasGroupMac(view);
    if (this.#takes("ether") !== undefined) return this.#ether(view);
    const kind = this.#kind(view);
    if (kind !== undefined && this.#takes("proto") !== undefined) return both(kind, protocolIs(view, this.#number()));
    const about = this.#about(view, word.text);
    if (kind === undefined && about === undefined) throw new Refusal(`syntax error near "${word.text}"`);
    return kind === undefined || about === undefined ? (kind ?? about ?? (() => false)) : both(kind, about);
  }

  #vlan(view: FrameView): FrameTest {
    this.#at++;
    const id = this.#tokens[this.#at]?.kind === "number" ? this.#number() : undefined;
    this.#view = view.behindTag();
    return (frame) => {
      const tag = view.vlan(frame);
      return tag !== undefined && (id === undefined || tag === id);
    };
  }

  #geneve(view: FrameView): FrameTest {
    this.#at++;
    const vni = this.#tokens[this.#at]?.kind === "number" ? this.#number() : undefined;
    this.#view = insideGeneve(view);
    return (frame) => {
      const found = geneveAt(view, frame);
      return found !== undefined && (vni === undefined || readU32(frame, found.header + 4) >>> 8 === vni);
    };
  }

  #ether(view: FrameView): FrameTest {
    if (this.#takes("proto") !== undefined) {
      const named = etherTypes.get(this.#tokens[this.#at]?.text ?? "");
      if (named !== undefined) this.#at++;
      const type = named ?? this.#number();
      return (frame) => view.type(frame) === type;
    }
    if (this.#takes("broadcast") !== undefined) return hasBroadcastMac(view);
    if (this.#takes("multicast") !== undefined) return hasGroupMac(view);
    const side = this.#takes("src", "dst");
    this.#takes("host");
    const token = this.#tokens[this.#at++];
    const mac = parseMac(token?.text ?? "");
    if (mac === undefined) throw new Refusal(`expected a MAC address rather than "${token?.text ?? ""}"`);
    const isDst: FrameTest = (frame) => macAt(view, frame, 0) === mac;
    const isSrc: FrameTest = (frame) => macAt(view, frame, 6) === mac;
    return side === "src" ? isSrc : side === "dst" ? isDst : (frame) => isSrc(frame) || isDst(frame);
  }

  /** `icmp`, `ip6`, `arp`: what a packet is. */
  #kind(view: FrameView): FrameTest | undefined {
    const word = this.#tokens[this.#at]?.text ?? "";
    const type = etherTypes.get(word);
    const protocol = protocols.get(word);
    if (type === undefined && protocol === undefined) return undefined;
    this.#at++;
    return type === undefined ? protocolIs(view, protocol ?? 0) : (frame) => view.type(frame) === type;
  }

  /** `src host 10.0.0.1`, `net 10.0.0.0/8`, `dst port 6081`: whom it is between. */
  #about(view: FrameView, near: string): FrameTest | undefined {
    const side = this.#takes("src", "dst");
    const what = this.#takes("host", "net", "port", "portrange");
    const token = this.#tokens[this.#at];
    if (side === undefined && what === undefined && token?.kind !== "address") return undefined;
    this.#at++;
    if (what === "port" || what === "portrange") {
      this.#at--;
      const low = this.#number();
      const high = what === "portrange" && this.#takes("-") !== undefined ? this.#number() : low;
      return portIs(view, side, low, high);
    }
    const prefix = prefixOf(token?.text ?? "");
    if (prefix === undefined) throw new Refusal(`expected an address after "${what ?? side ?? near}" rather than "${token?.text ?? ""}"`);
    return addressIs(view, side, prefix);
  }
}
