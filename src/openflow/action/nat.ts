/** Network address translation, within `ct` (ovs-actions(7), "The ct action"). */
import { formatIpv4, formatIpv6, ipv4Of, ipv6Of, parseIpv4, parseIpv6 } from "../../net/index.ts";
import type { Nat } from "./action.ts";
import type { Forms } from "./form.ts";
import { nicira } from "./layout.ts";
import type { FieldValue } from "../match/field.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, splitKeyValues } from "../text-input.ts";

const flag = { src: 1, dst: 2, persistent: 4, hash: 8, random: 16 } as const;
/** Which parts of the range follow. */
const has = { v4Min: 1, v4Max: 2, v6Min: 4, v6Max: 8, portMin: 16, portMax: 32 } as const;

export function parseNat(text: string, complaint: Complaint): Nat | undefined {
  let nat: Nat = { kind: "nat" };
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "src" || key === "dst") {
      if (nat.direction !== undefined) return complaint.say('May only specify one of "src" or "dst".');
      const range = value === "" ? {} : parseRange(value, complaint);
      nat = { ...nat, direction: key, ...range };
    } else if (key === "persistent" || key === "hash" || key === "random") nat = { ...nat, [key]: true };
    else return complaint.say(`invalid key "${key}" in "nat" argument`);
  }
  if (nat.direction === undefined && (nat.persistent || nat.hash || nat.random)) return complaint.say('Flags allowed only with "src" or "dst".');
  if (nat.hash && nat.random) return complaint.say('Both "hash" and "random" are not allowed.');
  return nat;
}

/** `1.2.3.4-1.2.3.9:80-90`, `[fe80::1]-[fe80::9]:80`. */
function parseRange(text: string, complaint: Complaint): Partial<Nat> | undefined {
  const v4 = /^(\d+\.\d+\.\d+\.\d+)(?:-(\d+\.\d+\.\d+\.\d+))?(?::(\d+)(?:-(\d+))?)?$/.exec(text);
  const v6 = /^\[?([0-9a-fA-F:.]+?)\]?(?:-\[?([0-9a-fA-F:.]+?)\]?)?(?:(?<=\]):(\d+)(?:-(\d+))?)?$/.exec(text);
  const [, min = "", max, portMin, portMax] = v4 ?? v6 ?? [];
  const parse = v4 !== null ? parseIpv4 : parseIpv6;
  const [ipMin, ipMax] = [parse(min), max === undefined ? undefined : parse(max)];
  const isBackwards = (ipMin !== undefined && ipMax !== undefined && ipMax < ipMin) || (portMax !== undefined && Number(portMax) < Number(portMin));
  if (ipMin === undefined || (max !== undefined && ipMax === undefined) || isBackwards) return complaint.say(`invalid nat range "${text}"`);
  return {
    family: v4 !== null ? 4 : 6, ipMin, ...(ipMax !== undefined && { ipMax }), ...(portMin !== undefined && { portMin: Number(portMin) }),
    ...(portMax !== undefined && { portMax: Number(portMax) }),
  };
}

export function formatNat(a: Nat): string {
  if (a.direction === undefined) return "nat";
  if (a.ipMin === undefined) return `nat(${a.direction})`;
  return `nat(${a.direction}=${formatRange(a, a.ipMin)}${a.persistent ? ",persistent" : ""}${a.hash ? ",hash" : ""}${a.random ? ",random" : ""})`;
}

function formatRange({ family, ipMax, portMin, portMax }: Nat, ipMin: FieldValue): string {
  const hasPort = portMin !== undefined && portMin !== 0;
  const ip = (value: FieldValue): string => {
    if (family !== 6) return formatIpv4(ipv4Of(Number(value)));
    const text = formatIpv6(ipv6Of(BigInt(value)));
    return hasPort ? `[${text}]` : text;
  };
  const upTo = ipMax !== undefined && ipMax !== ipMin ? `-${ip(ipMax)}` : "";
  const upToPort = portMax !== undefined && portMax !== portMin ? `-${portMax}` : "";
  return `${ip(ipMin)}${upTo}${hasPort ? `:${portMin}${upToPort}` : ""}`;
}

function encodeNat(w: WireWriter, action: Nat): void {
  nicira(w, 36, () => {
    const { direction, ipMin, ipMax, portMin, portMax } = action;
    const isV6 = action.family === 6;
    const ip = (value: FieldValue): void => w.integer(isV6 ? BigInt(value) : Number(value), isV6 ? 16 : 4);
    w.zeros(2);
    w.u16(
      (direction === undefined ? 0 : flag[direction]) | (action.persistent ? flag.persistent : 0) | (action.hash ? flag.hash : 0) |
        (action.random ? flag.random : 0),
    );
    if (ipMin === undefined) return w.u16(0);
    const ips = (isV6 ? has.v6Min : has.v4Min) | (ipMax === undefined ? 0 : isV6 ? has.v6Max : has.v4Max);
    w.u16(ips | (portMin === undefined ? 0 : has.portMin) | (portMax === undefined ? 0 : has.portMax));
    ip(ipMin);
    if (ipMax !== undefined) ip(ipMax);
    if (portMin !== undefined) w.u16(portMin);
    if (portMax !== undefined) w.u16(portMax);
  });
}

function decodeNat(r: WireReader): Nat | undefined {
  r.skip(2);
  const [flags, present] = [r.u16(), r.u16()];
  const nat = areConsistent(flags, present) && r.remaining >= rangeSize(present) ? pullNat(r, flags, present) : undefined;
  if (nat === undefined || !isInOrder(nat)) {
    r.fail("OFPBAC_BAD_ARGUMENT", "nat");
    return undefined;
  }
  return nat;
}

/** No two of what excludes one another, and no end of a range without its beginning. */
function areConsistent(flags: number, present: number): boolean {
  if ((flags & ~0x1f) !== 0 || (flags & 3) === 3 || (flags & 24) === 24) return false;
  const [v4, v6, port] = [present & 3, present & 12, present & 0x30];
  if ((v4 !== 0 && v6 !== 0) || v4 === has.v4Max || v6 === has.v6Max || port === has.portMax) return false;
  return (present & has.portMin) === 0 || v4 !== 0 || v6 !== 0;
}

const rangeSize = (present: number): number => ((present & 3) !== 0 ? 4 : 16) * bitCount(present & 15) + 2 * bitCount(present & 0x30);
const bitCount = (value: number): number => value.toString(2).replaceAll("0", "").length;

function pullNat(r: WireReader, flags: number, present: number): Nat {
  const isV6 = (present & 12) !== 0;
  const ip = (): FieldValue => (isV6 ? r.integer(16) : r.u32());
  return {
    kind: "nat",
    ...((flags & 3) !== 0 && { direction: (flags & flag.src) !== 0 ? "src" as const : "dst" as const }),
    ...((flags & flag.persistent) !== 0 && { persistent: true }),
    ...((flags & flag.hash) !== 0 && { hash: true }),
    ...((flags & flag.random) !== 0 && { random: true }),
    ...((present & (has.v4Min | has.v6Min)) !== 0 && { ipMin: ip(), family: isV6 ? 6 as const : 4 as const }),
    ...((present & (has.v4Max | has.v6Max)) !== 0 && { ipMax: ip() }),
    ...((present & has.portMin) !== 0 && { portMin: r.u16() }),
    ...((present & has.portMax) !== 0 && { portMax: r.u16() }),
  };
}

function isInOrder({ ipMin, ipMax, portMin, portMax }: Nat): boolean {
  if (ipMin === 0 || ipMin === 0n || portMin === 0) return false;
  return !(ipMin !== undefined && ipMax !== undefined && ipMax < ipMin) && !(portMin !== undefined && portMax !== undefined && portMax < portMin);
}

export const nats: Forms<"nat"> = {
  nat: { parse: { nat: parseNat }, format: formatNat, encode: encodeNat, nicira: { 36: decodeNat }, inActionSet: true },
};
