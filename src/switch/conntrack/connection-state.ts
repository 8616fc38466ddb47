/**
 * How far a connection is, by protocol: what each packet makes of it, and how long it then lives without another.
 * States and times are those of OVS's user-space tracker, which keeps a TCP state for each side (as pf does). TCP's windows
 * are not followed: every segment is taken as in window, as with Linux's `nf_conntrack_tcp_be_liberal`.
 */
import { tcpFlag as flag } from "../../packet/index.ts";
import { ipProto } from "../packet/packet.ts";

export type Progress =
  /** Nothing but packets of the original direction so far, or the first of them again. */
  | "valid-new"
  | "valid"
  | "invalid"
  /** The old connection is over; this packet begins another with the same tuple. */
  | "renew";

/** In the order in which a side goes through them. */
const phases = ["closed", "syn_sent", "established", "closing", "fin_wait_2", "time_wait"] as const;
export type TcpPhase = (typeof phases)[number];

export interface ConnectionState {
  readonly protocol: number;
  /** Of the side that began, and of the other. */
  readonly tcp: [TcpPhase, TcpPhase];
  /** A TCP connection's first packet is the last that was seen. */
  isFirst: boolean;
  /** What was seen of other protocols: a packet; several of the original direction; both directions. */
  other: "first" | "multiple" | "both";
}

const reaches = (phase: TcpPhase, least: TcpPhase): boolean => phases.indexOf(phase) >= phases.indexOf(least);

const seconds = {
  tcp: { first: 30, opening: 30, established: 86_400, closing: 900, finWait: 45, closed: 30 },
  udp: { first: 60, multiple: 60, both: 30 },
  icmp: { first: 60, multiple: 60, both: 30 },
} as const;

const isIcmp = (protocol: number): boolean => protocol === ipProto.icmp || protocol === ipProto.icmpv6;

/** Undefined: no connection begins with such a packet. One that was there before its tracker is taken up as if it began now. */
export function begin(protocol: number, tcpFlags: number): ConnectionState | undefined {
  if (protocol === ipProto.tcp && (isImpossible(tcpFlags) || (tcpFlags & (flag.syn | flag.ack)) === (flag.syn | flag.ack))) return undefined;
  return { protocol, tcp: ["syn_sent", "closed"], isFirst: true, other: "first" };
}

/** Flags that no segment has together, or lacks together. */
function isImpossible(flags: number): boolean {
  if ((flags & flag.syn) !== 0 && (flags & (flag.rst | flag.fin)) !== 0) return true;
  if ((flags & (flag.syn | flag.ack | flag.rst)) === 0) return true;
  return (flags & flag.ack) === 0 && (flags & (flag.fin | flag.psh | flag.urg)) !== 0;
}

export function advance(state: ConnectionState, isReply: boolean, tcpFlags: number): Progress {
  if (state.protocol === ipProto.tcp) return advanceTcp(state, isReply, tcpFlags);
  if (isReply) state.other = "both";
  else if (state.other === "first" && !isIcmp(state.protocol)) state.other = "multiple";
  return state.other === "both" ? "valid" : "valid-new";
}

function advanceTcp(state: ConnectionState, isReply: boolean, flags: number): Progress {
  if (isImpossible(flags)) return "invalid";
  const [from, to] = isReply ? ([1, 0] as const) : ([0, 1] as const);
  const { tcp } = state;
  if ((flags & (flag.syn | flag.ack)) === flag.syn) {
    if (tcp.every((phase) => reaches(phase, "fin_wait_2"))) return "renew";
    if (!reaches(tcp[from], "established")) {
      tcp[from] = "syn_sent";
      state.isFirst = true;
      return "valid-new";
    }
  }
  state.isFirst = false;
  if (tcp[from] === "closed") tcp[from] = "syn_sent";
  if ((flags & flag.fin) !== 0 && !reaches(tcp[from], "closing")) tcp[from] = "closing";
  if ((flags & flag.ack) !== 0) {
    if (tcp[to] === "syn_sent") tcp[to] = "established";
    else if (tcp[to] === "closing") tcp[to] = "fin_wait_2";
  }
  if ((flags & flag.rst) !== 0) tcp[from] = tcp[to] = "time_wait";
  return "valid";
}

export function lifetimeMs(state: ConnectionState): number {
  if (state.protocol !== ipProto.tcp) return seconds[isIcmp(state.protocol) ? "icmp" : "udp"][state.other] * 1000;
  return seconds.tcp[tcpAge(state)] * 1000;
}

function tcpAge({ tcp, isFirst }: ConnectionState): keyof typeof seconds.tcp {
  if (isFirst) return "first";
  if (tcp.every((phase) => reaches(phase, "fin_wait_2"))) return "closed";
  if (tcp.every((phase) => reaches(phase, "closing"))) return "finWait";
  if (tcp.some((phase) => !reaches(phase, "established"))) return "opening";
  return tcp.some((phase) => reaches(phase, "closing")) ? "closing" : "established";
}

/** The side that is further, for showing. */
export const tcpStateText = ({ tcp: [a, b] }: ConnectionState): string => (reaches(a, b) ? a : b).toUpperCase();
