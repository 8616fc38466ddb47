/**
 * How far a connection is, by protocol: what each packet makes of it, and how long it then lives without another.
 * States and times are those of OVS's user-space tracker; TCP's windows are not followed (every segment is taken as in
 * window, as with Linux's `nf_conntrack_tcp_be_liberal`).
 */
import { ipProto } from "./packet.ts";

export type Progress =
  /** Nothing but the first packets of the original direction. */
  | "valid-new"
  | "valid"
  | "invalid"
  /** The old connection is over; this packet begins another with the same tuple. */
  | "renew";

export type TcpPhase = "syn_sent" | "syn_recv" | "established" | "fin_wait" | "closing" | "time_wait" | "closed";

export interface ConnectionState {
  readonly protocol: number;
  tcp: TcpPhase;
  /** Packets were seen: one from the original direction; several; both directions. */
  other: "first" | "multiple" | "both";
  finFrom: { original: boolean; reply: boolean };
}

const flag = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
const seconds = {
  tcp: { syn_sent: 30, syn_recv: 30, established: 86_400, fin_wait: 900, closing: 900, time_wait: 45, closed: 30 },
  udp: { first: 60, multiple: 60, both: 30 },
  icmp: { first: 60, multiple: 60, both: 30 },
} as const;

/** Undefined: no connection begins with such a packet. */
export function begin(protocol: number, tcpFlags: number): ConnectionState | undefined {
  const state: ConnectionState = { protocol, tcp: "syn_sent", other: "first", finFrom: { original: false, reply: false } };
  if (protocol !== ipProto.tcp) return state;
  if (isImpossible(tcpFlags) || ((tcpFlags & flag.syn) !== 0 && (tcpFlags & flag.ack) !== 0)) return undefined;
  // A connection that was there before its tracker is taken up as it is.
  if ((tcpFlags & flag.syn) === 0) state.tcp = "established";
  if ((tcpFlags & flag.rst) !== 0) state.tcp = "closed";
  return state;
}

/** SYN and FIN together, or none of the flags that say what a segment is. */
function isImpossible(flags: number): boolean {
  if ((flags & flag.syn) !== 0) return (flags & (flag.rst | flag.fin)) !== 0;
  return (flags & (flag.ack | flag.rst)) === 0;
}

export function advance(state: ConnectionState, isReply: boolean, tcpFlags: number): Progress {
  if (state.protocol === ipProto.tcp) return advanceTcp(state, isReply, tcpFlags);
  if (isReply) {
    state.other = "both";
    return "valid";
  }
  if (state.other !== "first") return "valid";
  if (state.protocol !== ipProto.icmp && state.protocol !== ipProto.icmpv6) state.other = "multiple";
  return "valid-new";
}

function advanceTcp(state: ConnectionState, isReply: boolean, flags: number): Progress {
  if (isImpossible(flags)) return "invalid";
  const isSyn = (flags & (flag.syn | flag.ack)) === flag.syn;
  if (isSyn && !isReply) {
    if (state.tcp === "time_wait" || state.tcp === "closed") return "renew";
    if (state.tcp === "syn_sent") return "valid-new";
  }
  if ((flags & flag.rst) !== 0) state.tcp = "closed";
  else if (state.tcp === "syn_sent") {
    if (isReply && (flags & (flag.syn | flag.ack)) !== 0) state.tcp = "syn_recv";
  } else if (state.tcp === "syn_recv" && !isReply && (flags & flag.ack) !== 0) state.tcp = "established";
  if ((flags & flag.fin) !== 0 && state.tcp !== "closed") {
    if (isReply) state.finFrom.reply = true;
    else state.finFrom.original = true;
    state.tcp = state.finFrom.original && state.finFrom.reply ? "closing" : "fin_wait";
  } else if (state.tcp === "closing" && (flags & flag.ack) !== 0) state.tcp = "time_wait";
  return "valid";
}

export function lifetimeMs(state: ConnectionState): number {
  if (state.protocol === ipProto.tcp) return seconds.tcp[state.tcp] * 1000;
  const isIcmp = state.protocol === ipProto.icmp || state.protocol === ipProto.icmpv6;
  return (isIcmp ? seconds.icmp : seconds.udp)[state.other] * 1000;
}
