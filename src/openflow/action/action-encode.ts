/**
 * Actions to the wire of OpenFlow 1.3 to 1.5, as OVS writes them (OpenFlow 1.5, section 7.2.6; OVS's nicira-ext). What a
 * version has no standard action for goes as a Nicira extension; the old "mod" actions go as set_field.
 */
import { assert, unreachable } from "../../std/index.ts";
import {
  type Action, type ActionOf, bundleAlgorithms, type Ct, hashFields, type Learn, multipathAlgorithms, type Nat, packetInReasons, type Sample,
} from "./action.ts";
import { encodeOf10Action } from "./action-of10.ts";
import { type Field, field, type FieldValue } from "../match/field.ts";
import type { FieldName } from "../match/field-table.ts";
import { exactMask } from "../match/match.ts";
import { hasNxmHeader, nxmHeader, putEntry, putHeader } from "../match/oxm.ts";
import { portToWire } from "../message/port.ts";
import { putProperty } from "../message/property.ts";
import type { Subfield } from "../match/subfield.ts";
import { of10, of15 } from "../message/version.ts";
import type { WireWriter } from "../message/wire-writer.ts";

export const niciraVendor = 0x2320;

export function encodeActions(w: WireWriter, actions: readonly Action[]): void {
  for (const action of actions) encodeAction(w, action);
}

/** The end of an action that began at `start`: zeros to 8 bytes, and its length. */
function finish(w: WireWriter, start: number): void {
  w.pad(start);
  w.setU16(start + 2, w.size - start);
}

/** Of a standard action: type, then `body`, then the length filled in and zeros to 8 bytes. */
function standard(w: WireWriter, type: number, body: () => void): void {
  const start = w.size;
  w.u16(type);
  w.u16(0);
  body();
  finish(w, start);
}

/** Of a Nicira action: the same with vendor and subtype. `size`: the least it has. */
function nicira(w: WireWriter, subtype: number, body: () => void, size = 16): void {
  const start = w.size;
  w.u16(0xffff);
  w.u16(0);
  w.u32(niciraVendor);
  w.u16(subtype);
  body();
  if (w.size - start < size) w.zeros(size - (w.size - start));
  finish(w, start);
}

const ofsNbits = (s: Subfield): number => (s.offset << 6) | (s.bits - 1);

function encodeAction(w: WireWriter, action: Action): void {
  if (w.version === of10 && encodeOf10Action(w, action, (subtype, body) => nicira(w, subtype, body))) return;
  switch (action.kind) {
    case "output":
    case "output_trunc":
    case "output_reg":
    case "controller":
    case "group":
    case "enqueue":
    case "bundle":
    case "resubmit":
    case "clone":
    case "sample":
    case "meter":
      return encodeOutput(w, action);
    case "ct":
      return encodeCt(w, action);
    case "nat":
      return encodeNat(w, action);
    case "ct_clear":
      return nicira(w, 43, () => {});
    case "learn":
      return encodeLearn(w, action);
    case "set_queue":
      return standard(w, 21, () => w.u32(action.queue));
    case "pop_queue":
      return nicira(w, 5, () => {});
    case "conjunction":
      return nicira(w, 34, () => (w.u8(action.clause), w.u8(action.clauses), w.u32(action.id)));
    case "multipath":
      return encodeMultipath(w, action);
    case "note":
      return nicira(w, 8, () => w.raw(action.data));
    case "exit":
      return nicira(w, 17, () => {});
    case "fin_timeout":
      return nicira(w, 19, () => (w.u16(action.idleTimeout), w.u16(action.hardTimeout)));
    case "check_pkt_larger":
      return nicira(w, 49, () => (w.u16(action.size), w.u16(action.to.offset), putHeader(w, action.to.field, 0)), 24);
    case "write_metadata":
      return nicira(w, 22, () => (w.zeros(6), w.u64(action.value), w.u64(action.mask)));
    case "clear_actions":
    case "write_actions":
    case "goto_table":
      assert(false, `${action.kind} is an instruction, which an action list cannot hold`);
      return;
    default:
      return encodeChange(w, action);
  }
}

type OutputAction = ActionOf<
  "output" | "output_trunc" | "output_reg" | "controller" | "group" | "enqueue" | "bundle" | "resubmit" | "clone" | "sample" | "meter"
>;

function encodeOutput(w: WireWriter, action: OutputAction): void {
  switch (action.kind) {
    case "output":
      return standard(w, 0, () => (w.u32(portToWire(action.port)), w.u16(action.maxLength ?? 0), w.zeros(6)));
    case "output_trunc":
      return nicira(w, 39, () => (w.u16(action.port), w.u32(action.maxLength)));
    case "output_reg":
      if (hasNxmHeader(action.from.field)) {
        return nicira(w, 15, () => (w.u16(ofsNbits(action.from)), w.u32(nxmHeader(action.from.field, w)), w.u16(action.maxLength)), 24);
      }
      return nicira(w, 32, () => (w.u16(ofsNbits(action.from)), w.u16(action.maxLength), putHeader(w, action.from.field, 0)), 24);
    case "controller":
      return encodeController(w, action);
    case "group":
      return standard(w, 22, () => w.u32(action.group));
    case "enqueue":
      return encodeActions(w, [{ kind: "set_queue", queue: action.queue }, { kind: "output", port: action.port, maxLength: 0xffff }, { kind: "pop_queue" }]);
    case "bundle":
      return encodeBundle(w, action);
    case "resubmit":
      w.u32(0xffff0010);
      w.u32(niciraVendor);
      w.u16(action.ct === true ? 44 : 14);
      w.u16(action.port);
      w.u32(action.table << 24);
      return;
    case "clone":
      return nicira(w, 42, () => (w.zeros(6), encodeActions(w, action.actions)));
    case "sample":
      return encodeSample(w, action);
    case "meter":
      // Before OpenFlow 1.5 an instruction: see instruction.ts.
      assert(w.version >= of15, "meter is an action only since OpenFlow 1.5");
      return standard(w, 29, () => w.u32(action.meter));
  }
}

function encodeController(w: WireWriter, action: ActionOf<"controller">): void {
  const reason = packetInReasons.indexOf(action.reason);
  const userdata = action.userdata ?? new Uint8Array(0);
  if (userdata.length === 0 && action.pause !== true && (action.meterId ?? 0) === 0) {
    return nicira(w, 20, () => (w.u16(action.maxLength), w.u16(action.controllerId), w.u8(reason)));
  }
  nicira(w, 37, () => {
    w.zeros(6);
    if (action.maxLength !== 0xffff) putProperty(w, 0, () => (w.u16(action.maxLength), w.zeros(2)));
    if (action.controllerId !== 0) putProperty(w, 1, () => (w.u16(action.controllerId), w.zeros(2)));
    if (action.reason !== "action") putProperty(w, 2, () => w.u8(reason));
    if (userdata.length > 0) putProperty(w, 3, () => w.raw(userdata));
    if (action.pause === true) putProperty(w, 4, () => {});
    if ((action.meterId ?? 0) !== 0) putProperty(w, 5, () => w.u32(action.meterId ?? 0));
  });
}

function encodeBundle(w: WireWriter, action: ActionOf<"bundle">): void {
  nicira(w, action.to === undefined ? 12 : 13, () => {
    w.u16(bundleAlgorithms.indexOf(action.algorithm));
    w.u16(hashFields.indexOf(action.fields));
    w.u16(action.basis);
    w.u32(0x00000002); // NXM_OF_IN_PORT: members are ports
    w.u16(action.members.length);
    w.u16(action.to === undefined ? 0 : ofsNbits(action.to));
    w.u32(action.to === undefined ? 0 : nxmHeader(action.to.field, w));
    w.zeros(4);
    for (const member of action.members) w.u16(member);
  });
}

function encodeMultipath(w: WireWriter, action: ActionOf<"multipath">): void {
  nicira(w, 10, () => {
    w.u16(hashFields.indexOf(action.fields));
    w.u16(action.basis);
    w.zeros(2);
    w.u16(multipathAlgorithms.indexOf(action.algorithm));
    w.u16(action.links - 1);
    w.u32(action.argument);
    w.zeros(2);
    w.u16(ofsNbits(action.to));
    w.u32(nxmHeader(action.to.field, w));
  });
}

function encodeSample(w: WireWriter, action: Sample): void {
  const direction = action.direction === undefined ? 0 : action.direction === "ingress" ? 1 : 2;
  const { domain, point } = action;
  if (typeof domain === "number" && typeof point === "number") {
    const isPlain = direction === 0 && action.samplingPort === 0xffff;
    return nicira(w, isPlain ? 29 : direction === 0 ? 38 : 41, () => {
      w.u16(action.probability);
      w.u32(action.collectorSet);
      w.u32(domain);
      w.u32(point);
      if (!isPlain) (w.u16(action.samplingPort), w.u8(direction), w.zeros(5));
    });
  }
  nicira(w, 51, () => {
    w.u16(action.probability);
    w.u32(action.collectorSet);
    for (const source of [domain, point]) {
      if (typeof source === "number") (w.u32(0), w.u32(source));
      else (w.u32(nxmHeader(source.field, w)), w.u16(ofsNbits(source)), w.zeros(2));
    }
    w.u16(action.samplingPort);
    w.u8(direction);
    w.zeros(5);
  });
}

type ChangeAction = Exclude<
  Action,
  OutputAction | ActionOf<
    "ct" | "nat" | "ct_clear" | "learn" | "set_queue" | "pop_queue" | "conjunction" | "multipath" | "note" | "exit" | "fin_timeout"
    | "check_pkt_larger" | "write_metadata" | "clear_actions" | "write_actions" | "goto_table"
  >
>;

function encodeChange(w: WireWriter, action: ChangeAction): void {
  switch (action.kind) {
    case "set_field":
      return encodeSetField(w, action);
    case "move":
      return encodeMove(w, action.from, action.to);
    case "push":
      return nicira(w, 27, () => encodeStack(w, action.from), 24);
    case "pop":
      return nicira(w, 28, () => encodeStack(w, action.to), 24);
    case "push_vlan":
      return standard(w, 17, () => w.u16(action.ethType));
    case "pop_vlan":
      return standard(w, 18, () => w.zeros(4));
    case "set_vlan_vid":
      return encodeSet(w, "vlan_vid", action.vid | 0x1000);
    case "set_vlan_pcp":
      return encodeSet(w, "vlan_pcp", action.pcp);
    case "mod_dl_src":
    case "mod_dl_dst":
      return encodeSet(w, action.kind === "mod_dl_src" ? "eth_src" : "eth_dst", action.mac);
    case "mod_nw_src":
    case "mod_nw_dst":
      return encodeSet(w, action.kind === "mod_nw_src" ? "ip_src" : "ip_dst", action.ip);
    case "mod_nw_tos":
      return encodeSet(w, "ip_dscp", action.tos >> 2);
    case "mod_nw_ecn":
      return encodeSet(w, "nw_ecn", action.ecn);
    case "mod_nw_ttl":
      if (w.version === of10) return encodeSet(w, "nw_ttl", action.ttl);
      return standard(w, 23, () => (w.u8(action.ttl), w.zeros(3)));
    case "mod_tp_src":
    case "mod_tp_dst":
      return standard(w, action.kind === "mod_tp_src" ? 9 : 10, () => w.u16(action.port));
    case "dec_ttl":
      if (action.controllers.length === 1 && action.controllers[0] === 0) return standard(w, 24, () => w.zeros(4));
      return nicira(w, 21, () => (w.u16(action.controllers.length), w.zeros(4), action.controllers.forEach((id) => w.u16(id))));
    case "set_mpls_label":
      return encodeSet(w, "mpls_label", action.label);
    case "set_mpls_tc":
      return encodeSet(w, "mpls_tc", action.tc);
    case "set_mpls_ttl":
      return standard(w, 15, () => w.u8(action.ttl));
    case "dec_mpls_ttl":
      return standard(w, 16, () => w.zeros(4));
    case "push_mpls":
    case "pop_mpls":
      return standard(w, action.kind === "push_mpls" ? 19 : 20, () => w.u16(action.ethType));
    case "dec_nsh_ttl":
      return nicira(w, 48, () => {});
    case "delete_field":
      return nicira(w, 50, () => putHeader(w, action.field, 0), 24);
    case "encap":
      return encodeEncap(w, action);
    case "decap":
      return nicira(w, 47, () => (w.zeros(2), w.u32(action.packetType)));
    case "set_tunnel":
      return encodeSet(w, "tun_id", action.id);
    default:
      return unreachable(action);
  }
}

function encodeEncap(w: WireWriter, action: ActionOf<"encap">): void {
  nicira(w, 46, () => {
    w.u16(action.headerSize);
    w.u32(action.packetType);
    for (const { propertyClass, type, data } of action.properties) {
      const start = w.size;
      w.u16(propertyClass);
      w.u8(type);
      w.u8(4 + data.length);
      w.raw(data);
      w.pad(start);
    }
  });
}

function encodeStack(w: WireWriter, s: Subfield): void {
  w.u16(s.offset);
  putHeader(w, s.field, 0);
  w.u16(s.bits);
}

function encodeMove(w: WireWriter, from: Subfield, to: Subfield): void {
  if (w.version >= of15) {
    return standard(w, 28, () => {
      for (const n of [to.bits, from.offset, to.offset, 0]) w.u16(n);
      putHeader(w, from.field, w.version);
      putHeader(w, to.field, w.version);
    });
  }
  nicira(w, 6, () => {
    for (const n of [to.bits, from.offset, to.offset]) w.u16(n);
    putHeader(w, from.field, 0);
    putHeader(w, to.field, 0);
  });
}

const encodeSet = (w: WireWriter, name: FieldName, value: FieldValue): void => {
  const f = field(name);
  if (w.version === of10) encodeSetField(w, { kind: "set_field", field: f, value, mask: exactMask(f) });
  else putSetField(w, f, value, exactMask(f));
};

function putSetField(w: WireWriter, f: Field, value: FieldValue, mask: FieldValue): void {
  const start = w.size;
  w.u32(25 << 16);
  putEntry(w, f, w.version, value, mask);
  finish(w, start);
}

function encodeSetField(w: WireWriter, action: ActionOf<"set_field">): void {
  const { field: f, value, mask } = action;
  if (w.version >= of15 || (mask === exactMask(f) && action.asLoad !== true && w.version !== of10)) return putSetField(w, f, value, mask);
  if (!hasNxmHeader(f) || f.isVariable) return nicira(w, 33, () => putEntry(w, f, 0, value, mask));
  // Each run of mask bits, at most 64 long, is a load of its own.
  const [v, m] = [BigInt(value), BigInt(mask)];
  for (let at = 0; at < f.bits; at++) {
    if (((m >> BigInt(at)) & 1n) === 0n) continue;
    let bits = 1;
    while (bits < 64 && at + bits < f.bits && ((m >> BigInt(at + bits)) & 1n) === 1n) bits++;
    nicira(w, 7, () => (w.u16((at << 6) | (bits - 1)), w.u32(nxmHeader(f, w)), w.u64((v >> BigInt(at)) & ((1n << BigInt(bits)) - 1n))));
    at += bits;
  }
}

function encodeCt(w: WireWriter, action: Ct): void {
  nicira(w, 35, () => {
    w.u16((action.commit ? 1 : 0) | (action.force ? 2 : 0));
    if (action.zone.kind === "immediate") (w.u32(0), w.u16(action.zone.zone));
    else (w.u32(nxmHeader(action.zone.from.field, w)), w.u16(ofsNbits(action.zone.from)));
    w.u8(action.table ?? 0xff);
    w.zeros(3);
    w.u16(action.alg);
    encodeActions(w, action.exec);
  });
}

function encodeNat(w: WireWriter, action: Nat): void {
  nicira(w, 36, () => {
    const { ipMin, ipMax, portMin, portMax } = action;
    const isV6 = action.family === 6;
    const ip = (value: FieldValue): void => w.integer(isV6 ? BigInt(value) : Number(value), isV6 ? 16 : 4);
    w.zeros(2);
    w.u16((action.direction === "src" ? 1 : action.direction === "dst" ? 2 : 0) | (action.persistent ? 4 : 0) | (action.hash ? 8 : 0) | (action.random ? 16 : 0));
    const hasIp = ipMin !== undefined;
    const present = (hasIp ? (isV6 ? 4 : 1) : 0) | (hasIp && ipMax !== undefined ? (isV6 ? 8 : 2) : 0);
    w.u16(present | (hasIp && portMin !== undefined ? 16 : 0) | (hasIp && portMax !== undefined ? 32 : 0));
    if (!hasIp) return;
    ip(ipMin);
    if (ipMax !== undefined) ip(ipMax);
    if (portMin !== undefined) w.u16(portMin);
    if (portMax !== undefined) w.u16(portMax);
  });
}

function encodeLearn(w: WireWriter, action: Learn): void {
  const isExtended = action.limit !== 0 || action.result !== undefined;
  nicira(w, isExtended ? 45 : 16, () => {
    for (const n of [action.idleTimeout, action.hardTimeout, action.priority]) w.u16(n);
    w.u64(action.cookie);
    w.u16((action.sendFlowRemoved ? 1 : 0) | (action.deleteLearned ? 2 : 0) | (action.result !== undefined ? 4 : 0));
    w.u8(action.table);
    w.u8(0);
    w.u16(action.finIdleTimeout);
    w.u16(action.finHardTimeout);
    if (isExtended) {
      w.u32(action.limit);
      w.u16(action.result?.offset ?? 0);
      w.u16(0);
      if (action.result !== undefined) putHeader(w, action.result.field, 0);
    }
    for (const spec of action.specs) {
      const to = spec.to === "match" ? 0 : spec.to === "load" ? 1 : 2;
      w.u16(spec.bits | (to << 11) | (spec.from.kind === "immediate" ? 1 << 13 : 0));
      if (spec.from.kind === "immediate") w.integer(spec.from.value, 2 * Math.ceil(spec.bits / 16));
      else (w.u32(nxmHeader(spec.from.source.field, w)), w.u16(spec.from.source.offset));
      if (spec.target !== undefined) (w.u32(nxmHeader(spec.target.field, w)), w.u16(spec.target.offset));
    }
  });
}
