/** Actions as ovs-ofctl prints them (ovs-actions(7)). */
import { formatIpv4, formatIpv6, formatMac, ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import { unreachable } from "../../std/index.ts";
import type { Action, ActionOf, Bundle, Controller, Ct, Learn, LearnSpec, Nat, Sample } from "./action.ts";
import { defaultPriority } from "../match/match-text.ts";
import { formatPort, ports } from "../message/port.ts";
import { formatSubfield, isWhole, type Subfield } from "../match/subfield.ts";
import { fullHex, hex } from "../text-input.ts";
import { formatValue } from "../match/value-text.ts";

/** Actions after commas; "drop" for none. */
export const formatActions = (actions: readonly Action[]): string => (actions.length === 0 ? "drop" : actions.map(formatAction).join(","));

export function formatAction(action: Action): string {
  switch (action.kind) {
    case "output":
      if (action.port === ports.controller) return `CONTROLLER:${action.maxLength ?? 0}`;
      return action.port < ports.max ? `output:${action.port}` : formatPort(action.port);
    case "output_trunc":
      return `output(port=${formatPort(action.port)},max_len=${action.maxLength})`;
    case "output_reg":
      return `output:${formatSubfield(action.from)}`;
    case "controller":
      return formatController(action);
    case "group":
      return `group:${action.group}`;
    case "enqueue":
      return `enqueue:${formatPort(action.port)}:${action.queue}`;
    case "bundle":
      return formatBundle(action);
    case "resubmit":
      return formatResubmit(action);
    case "learn":
      return formatLearn(action);
    case "ct":
      return formatCt(action);
    case "nat":
      return formatNat(action);
    case "clone":
      return `clone(${formatActions(action.actions)})`;
    case "write_actions":
      return `write_actions(${formatActions(action.actions)})`;
    case "write_metadata":
      return `write_metadata:${hex(action.value)}${action.mask === 0xffffffffffffffffn ? "" : `/${hex(action.mask)}`}`;
    case "goto_table":
      return `goto_table:${action.table}`;
    case "conjunction":
      return `conjunction(${action.id},${action.clause + 1}/${action.clauses})`;
    case "multipath":
      return `multipath(${action.fields},${action.basis},${action.algorithm},${action.links},${action.argument},${formatSubfield(action.to)})`;
    case "note":
      return `note:${dotted(action.data)}`;
    case "sample":
      return formatSample(action);
    case "check_pkt_larger":
      return `check_pkt_larger(${action.size})->${formatSubfield(action.to)}`;
    case "meter":
      return `meter:${action.meter}`;
    case "fin_timeout": {
      const parts = [action.idleTimeout === 0 ? [] : [`idle_timeout=${action.idleTimeout}`], action.hardTimeout === 0 ? [] : [`hard_timeout=${action.hardTimeout}`]];
      return `fin_timeout(${parts.flat().join(",")})`;
    }
    case "ct_clear":
    case "clear_actions":
    case "pop_queue":
    case "exit":
    case "dec_mpls_ttl":
    case "dec_nsh_ttl":
      return action.kind;
    default:
      return formatChange(action);
  }
}

type ChangeKind =
  | "set_field" | "move" | "push" | "pop" | "push_vlan" | "pop_vlan" | "set_vlan_vid" | "set_vlan_pcp" | "mod_dl_src" | "mod_dl_dst"
  | "mod_nw_src" | "mod_nw_dst" | "mod_nw_tos" | "mod_nw_ecn" | "mod_nw_ttl" | "mod_tp_src" | "mod_tp_dst" | "dec_ttl" | "set_mpls_label"
  | "set_mpls_tc" | "set_mpls_ttl" | "push_mpls" | "pop_mpls" | "delete_field" | "encap" | "decap" | "set_tunnel" | "set_queue";

const fourHex = (value: number): string => `0x${value.toString(16).padStart(4, "0")}`;

function formatChange(action: ActionOf<ChangeKind>): string {
  switch (action.kind) {
    case "set_field":
      return formatSetField(action);
    case "move":
      return `move:${formatSubfield(action.from)}->${formatSubfield(action.to)}`;
    case "push":
      return `push:${formatSubfield(action.from)}`;
    case "pop":
      return `pop:${formatSubfield(action.to)}`;
    case "push_vlan":
      return `push_vlan:${hex(action.ethType)}`;
    case "pop_vlan":
      return "pop_vlan";
    case "set_vlan_vid":
      return `set_vlan_vid:${action.vid}`;
    case "set_vlan_pcp":
      return `set_vlan_pcp:${action.pcp}`;
    case "mod_dl_src":
    case "mod_dl_dst":
      return `${action.kind}:${formatMac(macOf(action.mac))}`;
    case "mod_nw_src":
    case "mod_nw_dst":
      return `${action.kind}:${formatIpv4(ipv4Of(action.ip))}`;
    case "mod_nw_tos":
      return `mod_nw_tos:${action.tos}`;
    case "mod_nw_ecn":
      return `mod_nw_ecn:${action.ecn}`;
    case "mod_nw_ttl":
      return `mod_nw_ttl:${action.ttl}`;
    case "mod_tp_src":
    case "mod_tp_dst":
      return `${action.kind}:${action.port}`;
    case "dec_ttl":
      return action.controllers.length === 1 && action.controllers[0] === 0 ? "dec_ttl" : `dec_ttl(${action.controllers.join(",")})`;
    case "set_mpls_label":
      return `set_mpls_label(${action.label})`;
    case "set_mpls_tc":
      return `set_mpls_tc(${action.tc})`;
    case "set_mpls_ttl":
      return `set_mpls_ttl(${action.ttl})`;
    case "push_mpls":
    case "pop_mpls":
      return `${action.kind}:${fourHex(action.ethType)}`;
    case "delete_field":
      return `delete_field:${action.field.name}`;
    case "encap":
      return formatEncap(action);
    case "decap":
      return action.packetType === 0xfffe ? "decap()" : `decap(packet_type(ns=${action.packetType >>> 16},type=${hex(action.packetType & 0xffff)}))`;
    case "set_tunnel":
      return `set_tunnel${action.id > 0xffffffffn || action.wide === true ? "64" : ""}:${hex(action.id)}`;
    case "set_queue":
      return `set_queue:${action.queue}`;
    default:
      return unreachable(action);
  }
}

function formatSetField(action: ActionOf<"set_field">): string {
  const { field: f, value, mask } = action;
  if (action.asLoad !== true) return `set_field:${formatValue(f, value, mask)}->${f.name}`;
  const loads: string[] = [];
  const [v, m] = [BigInt(value), BigInt(mask)];
  for (let at = 0; at < f.bits; at++) {
    if (((m >> BigInt(at)) & 1n) === 0n) continue;
    let bits = 1;
    while (bits < 64 && at + bits < f.bits && ((m >> BigInt(at + bits)) & 1n) === 1n) bits++;
    loads.push(`load:${hex((v >> BigInt(at)) & ((1n << BigInt(bits)) - 1n))}->${formatSubfield({ field: f, offset: at, bits })}`);
    at += bits;
  }
  return loads.join(",");
}

const dotted = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(".");

function formatController(a: Controller): string {
  const userdata = a.userdata ?? new Uint8Array(0);
  const parts = [
    a.reason === "action" ? [] : [`reason=${a.reason}`],
    a.maxLength === 0xffff ? [] : [`max_len=${a.maxLength}`],
    a.controllerId === 0 ? [] : [`id=${a.controllerId}`],
    userdata.length === 0 ? [] : [`userdata=${dotted(userdata)}`],
    a.pause === true ? ["pause"] : [],
    (a.meterId ?? 0) === 0 ? [] : [`meter_id=${a.meterId}`],
  ].flat();
  const isPlain = a.reason === "action" && a.controllerId === 0 && userdata.length === 0 && a.pause !== true && (a.meterId ?? 0) === 0;
  return isPlain ? `CONTROLLER:${a.maxLength}` : `controller(${parts.join(",")})`;
}

function formatBundle(a: Bundle): string {
  const to = a.to === undefined ? "" : `${formatSubfield(a.to)},`;
  return `${a.to === undefined ? "bundle" : "bundle_load"}(${a.fields},${a.basis},${a.algorithm},ofport,${to}members:${a.members.map(formatPort).join(",")})`;
}

function formatResubmit(a: ActionOf<"resubmit">): string {
  if (a.port !== ports.inPort && a.table === 255) return `resubmit:${formatPort(a.port)}`;
  return `resubmit(${a.port === ports.inPort ? "" : formatPort(a.port)},${a.table === 255 ? "" : a.table}${a.ct === true ? ",ct" : ""})`;
}

function formatCt(a: Ct): string {
  const [first, ...others] = a.exec;
  const isNatFirst = first?.kind === "nat";
  const rest = isNatFirst ? others : a.exec;
  const zone = a.zone.kind === "field" ? [`zone=${formatSubfield(a.zone.from)}`] : a.zone.zone === 0 ? [] : [`zone=${a.zone.zone}`];
  const parts = [
    a.commit ? ["commit"] : [], a.force ? ["force"] : [], a.table === undefined ? [] : [`table=${a.table}`], zone,
    isNatFirst ? [formatNat(first)] : [], rest.length === 0 ? [] : [`exec(${formatActions(rest)})`],
    a.alg === 0 ? [] : [`alg=${a.alg === 21 ? "ftp" : a.alg === 69 ? "tftp" : a.alg}`],
  ];
  return `ct(${parts.flat().join(",")})`;
}

function formatNat(a: Nat): string {
  if (a.direction === undefined) return "nat";
  const { ipMin, ipMax, portMin, portMax } = a;
  let range = "";
  if (ipMin !== undefined) {
    const hasPort = portMin !== undefined && portMin !== 0;
    const ip = (value: number | bigint): string => (a.family === 6 ? (hasPort ? `[${formatIpv6(ipv6Of(BigInt(value)))}]` : formatIpv6(ipv6Of(BigInt(value)))) : formatIpv4(ipv4Of(Number(value))));
    range = `=${ip(ipMin)}${ipMax !== undefined && ipMax !== ipMin ? `-${ip(ipMax)}` : ""}`;
    if (hasPort) range += `:${portMin}${portMax !== undefined && portMax !== portMin ? `-${portMax}` : ""}`;
  }
  const flags = ipMin === undefined ? "" : `${a.persistent ? ",persistent" : ""}${a.hash ? ",hash" : ""}${a.random ? ",random" : ""}`;
  return `nat(${a.direction}${range}${flags})`;
}

function formatSample(a: Sample): string {
  const source = (s: number | Subfield): string => (typeof s === "number" ? String(s) : formatSubfield(s));
  const port = a.samplingPort === ports.none ? "" : `,sampling_port=${formatPort(a.samplingPort)}`;
  const direction = a.direction === undefined ? "" : `,${a.direction}`;
  return `sample(probability=${a.probability},collector_set_id=${a.collectorSet},obs_domain_id=${source(a.domain)},obs_point_id=${source(a.point)}${port}${direction})`;
}

function formatLearn(a: Learn): string {
  const parts = [
    [`table=${a.table}`],
    a.idleTimeout === 0 ? [] : [`idle_timeout=${a.idleTimeout}`],
    a.hardTimeout === 0 ? [] : [`hard_timeout=${a.hardTimeout}`],
    a.finIdleTimeout === 0 ? [] : [`fin_idle_timeout=${a.finIdleTimeout}`],
    a.finHardTimeout === 0 ? [] : [`fin_hard_timeout=${a.finHardTimeout}`],
    a.priority === defaultPriority ? [] : [`priority=${a.priority}`],
    a.sendFlowRemoved ? ["send_flow_rem"] : [],
    a.deleteLearned ? ["delete_learned"] : [],
    a.cookie === 0n ? [] : [`cookie=${hex(a.cookie)}`],
    a.limit === 0 ? [] : [`limit=${a.limit}`],
    a.result === undefined ? [] : [`result_dst=${formatSubfield(a.result)}`],
    a.specs.map(formatLearnSpec),
  ];
  return `learn(${parts.flat().join(",")})`;
}

function formatLearnSpec(spec: LearnSpec): string {
  const { from, target } = spec;
  const source = from.kind === "field" ? formatSubfield(from.source) : fullHex(from.value);
  if (target === undefined) return `output:${source}`;
  if (spec.to === "load") return `load:${source}->${formatSubfield(target)}`;
  if (from.kind === "immediate") {
    if (!isWhole(target)) return `${formatSubfield(target)}=${source}`;
    const value = target.field.isWide ? from.value : Number(from.value);
    return `${target.field.name}=${formatValue(target.field, value, target.field.full)}`;
  }
  const isSame = from.source.field === target.field && from.source.offset === target.offset;
  return isSame ? formatSubfield(target) : `${formatSubfield(target)}=${source}`;
}

const encapNames: ReadonlyMap<number, string> = new Map([[0, "ethernet"], [0x1894f, "nsh"], [0x18847, "mpls"], [0x18848, "mpls_mc"]]);

function formatEncap(a: ActionOf<"encap">): string {
  const properties = a.properties.map(({ propertyClass, type, data }) => {
    if (propertyClass === 4 && type === 1) return `md_type=${data[0] ?? 0}`;
    if (propertyClass === 4 && type === 2) {
      const tlvClass = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
      return `tlv(0x${tlvClass.toString(16).padStart(4, "0")},${data[2] ?? 0},0x${dotted(data.subarray(4, 4 + (data[3] ?? 0))).replaceAll(".", "")})`;
    }
    if (propertyClass === 5 && type === 1) return `ether_type=${hex(((data[0] ?? 0) << 8) | (data[1] ?? 0))}`;
    return `prop(class=${propertyClass},type=${type})`;
  });
  return `encap(${encapNames.get(a.packetType) ?? "UNKNOWN"}${properties.length === 0 ? "" : `(${properties.join(",")})`})`;
}
