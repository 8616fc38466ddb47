/** Actions from the wire of OpenFlow 1.3 to 1.5. What is wrong with them is an OFPBAC or NXBAC error in the reader. */
import {
  type Action, type Bundle, bundleAlgorithms, type Controller, type EncapProperty, hashFields, type HashFields, type Multipath,
  multipathAlgorithms, type PacketInReason, packetInReasons, type Sample, type SetField,
} from "./action.ts";
import { decodeCt, decodeLearn, decodeNat } from "./action-decode-stateful.ts";
import { niciraVendor } from "./action-encode.ts";
import { decodeOf10Action, decodeOf10Extension } from "./action-of10.ts";
import { type Field, field } from "../match/field.ts";
import { exactMask } from "../match/match.ts";
import { fieldOfNxmHeader, pullEntry, pullFieldName } from "../match/oxm.ts";
import { portFromWire, ports } from "../message/port.ts";
import type { Subfield } from "../match/subfield.ts";
import { of10, of15 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";

/** Actions within actions deeper than this are refused: nobody needs them, and a stack has an end. */
const maxDepth = 32;

/** Reads actions to the end of `r`. */
export function decodeActions(r: WireReader, depth = 0): Action[] {
  const actions: Action[] = [];
  if (depth > maxDepth) r.fail("OFPBAC_TOO_MANY", "actions nested too deep");
  while (r.remaining > 0) {
    if (r.remaining < 8) {
      r.fail("OFPBAC_BAD_LEN", "cut within an action's header");
      break;
    }
    const size = r.peekU16(2);
    if (size < 8 || size % 8 !== 0 || size > r.remaining) {
      r.fail("OFPBAC_BAD_LEN", `an action of ${size} bytes`);
      break;
    }
    const body = r.part(size, "OFPBAC_BAD_LEN");
    const type = body.u16();
    body.skip(2);
    const action = type === 0xffff ? decodeExperimenter(body, depth) : decodeStandard(body, type);
    if (action !== undefined && r.ok) actions.push(action);
  }
  return r.ok ? actions : [];
}

function decodeExperimenter(r: WireReader, depth: number): Action | undefined {
  const vendor = r.u32();
  if (vendor !== niciraVendor && vendor !== 0x4f4e4600) {
    r.fail("OFPBAC_BAD_VENDOR");
    return undefined;
  }
  const subtype = r.u16();
  if (vendor === niciraVendor) return decodeNicira(r, subtype, depth);
  if (subtype !== 3200) r.fail("OFPBAC_BAD_VENDOR_TYPE");
  r.skip(2);
  return decodeCopyField(r);
}

function decodeOutputPort(r: WireReader, port: number | undefined): number {
  if (port === undefined || port === ports.none || (port >= ports.max && port < ports.inPort)) r.fail("OFPBAC_BAD_OUT_PORT");
  return port ?? 0;
}

function decodeStandard(r: WireReader, type: number): Action | undefined {
  if (r.version === of10) return decodeOf10Action(r, type, (port) => decodeOutputPort(r, port));
  const set = (f: Field, value: number): SetField => ({ kind: "set_field", field: f, value, mask: exactMask(f) });
  switch (type) {
    case 0: {
      const port = decodeOutputPort(r, portFromWire(r.u32()));
      const maxLength = r.u16();
      return port === ports.controller || maxLength !== 0 ? { kind: "output", port, maxLength } : { kind: "output", port };
    }
    case 1:
      return set(field("vlan_vid"), (r.u16() & 0xfff) | 0x1000);
    case 2:
      return set(field("vlan_pcp"), r.u8() & 7);
    case 3:
    case 4:
      return { kind: type === 3 ? "mod_dl_src" : "mod_dl_dst", mac: r.u48() };
    case 5:
    case 6:
      return { kind: type === 5 ? "mod_nw_src" : "mod_nw_dst", ip: r.u32() };
    case 7:
      return { kind: "mod_nw_tos", tos: r.u8() & 0xfc };
    case 8:
      return { kind: "mod_nw_ecn", ecn: r.u8() & 3 };
    case 9:
    case 10:
      return { kind: type === 9 ? "mod_tp_src" : "mod_tp_dst", port: r.u16() };
    case 13:
      return { kind: "set_mpls_label", label: r.u32() };
    case 14:
      return { kind: "set_mpls_tc", tc: r.u8() };
    case 15:
      return { kind: "set_mpls_ttl", ttl: r.u8() };
    case 16:
      return { kind: "dec_mpls_ttl" };
    case 17: {
      const ethType = r.u16();
      if (ethType !== 0x8100 && ethType !== 0x88a8) r.fail("OFPBAC_BAD_ARGUMENT");
      return { kind: "push_vlan", ethType };
    }
    case 18:
      return { kind: "pop_vlan" };
    case 19: {
      const ethType = r.u16();
      if (ethType !== 0x8847 && ethType !== 0x8848) r.fail("OFPBAC_BAD_ARGUMENT");
      return { kind: "push_mpls", ethType };
    }
    case 20:
      return { kind: "pop_mpls", ethType: r.u16() };
    case 21:
      return { kind: "set_queue", queue: r.u32() };
    case 22:
      return { kind: "group", group: r.u32() };
    case 23:
      return { kind: "mod_nw_ttl", ttl: r.u8() };
    case 24:
      return { kind: "dec_ttl", controllers: [0] };
    case 25:
      return decodeSetField(r, r.version >= of15);
    case 28:
      if (r.version >= of15) return decodeCopyField(r);
      break;
    case 29:
      if (r.version >= of15) return { kind: "meter", meter: r.u32() };
      break;
    default:
      break;
  }
  r.fail("OFPBAC_BAD_TYPE", `type ${type}`);
  return undefined;
}

function decodeNicira(r: WireReader, subtype: number, depth: number): Action | undefined {
  const older = r.version === of10 ? decodeOf10Extension(r, subtype) : undefined;
  if (older !== undefined) return older;
  switch (subtype) {
    case 1:
      return { kind: "resubmit", port: r.u16(), table: 255 };
    case 2:
      r.skip(2);
      return { kind: "set_tunnel", id: BigInt(r.u32()) };
    case 5:
      return { kind: "pop_queue" };
    case 8:
      return { kind: "note", data: r.rest().slice() };
    case 9:
      r.skip(6);
      return { kind: "set_tunnel", id: r.u64(), wide: true };
    case 10:
      return decodeMultipath(r);
    case 12:
    case 13:
      return decodeBundle(r, subtype === 13);
    case 14:
    case 44: {
      const resubmit = { kind: "resubmit", port: r.u16(), table: r.u8() } as const;
      r.zeros(3, "OFPBAC_BAD_ARGUMENT");
      return subtype === 44 ? { ...resubmit, ct: true } : resubmit;
    }
    case 16:
    case 45:
      return decodeLearn(r, subtype === 45);
    case 17:
      return { kind: "exit" };
    case 19:
      return { kind: "fin_timeout", idleTimeout: r.u16(), hardTimeout: r.u16() };
    case 22:
      r.zeros(6, "NXBRC_MUST_BE_ZERO");
      return { kind: "write_metadata", value: r.u64(), mask: r.u64() };
    case 34: {
      const [clause, clauses, id] = [r.u8(), r.u8(), r.u32()];
      if (clauses < 2 || clauses > 64 || clause >= clauses) r.fail("NXBAC_BAD_CONJUNCTION");
      return { kind: "conjunction", id, clause, clauses };
    }
    case 35:
      return decodeCt(r, (part) => decodeActions(part, depth + 1));
    case 36:
      return decodeNat(r);
    case 42:
      r.skip(6);
      return { kind: "clone", actions: decodeActions(r.part(r.remaining), depth + 1) };
    case 43:
      return { kind: "ct_clear" };
    case 48:
      return { kind: "dec_nsh_ttl" };
    default:
      return decodeNiciraWithField(r, subtype);
  }
}

/** Those Nicira actions that name fields, and the rest. */
function decodeNiciraWithField(r: WireReader, subtype: number): Action | undefined {
  switch (subtype) {
    case 6: {
      const [bits, fromOffset, toOffset] = [r.u16(), r.u16(), r.u16()];
      return decodeMove(r, bits, fromOffset, toOffset);
    }
    case 7:
      return decodeLoad(r);
    case 15: {
      const ofsNbits = r.u16();
      const from = pullSubfield(r, fieldOfNxmHeader(r, r.u32()), ofsNbits);
      const maxLength = r.u16();
      r.zeros(6, "OFPBAC_BAD_ARGUMENT");
      return from && { kind: "output_reg", from, maxLength };
    }
    case 20: {
      const [maxLength, controllerId, reason] = [r.u16(), r.u16(), r.u8()];
      return { kind: "controller", maxLength, controllerId, reason: reasonOf(reason) };
    }
    case 21:
      return decodeDecTtl(r);
    case 27:
    case 28: {
      const offset = r.u16();
      const f = pullFieldName(r);
      const s = checkSubfield(r, f, offset, r.u16());
      r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
      return s && (subtype === 27 ? { kind: "push", from: s } : { kind: "pop", to: s });
    }
    case 29:
    case 38:
    case 41:
    case 51:
      return decodeSample(r, subtype);
    case 32: {
      const [ofsNbits, maxLength] = [r.u16(), r.u16()];
      const from = pullSubfield(r, pullFieldName(r), ofsNbits);
      r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
      return from && { kind: "output_reg", from, maxLength };
    }
    case 33:
      return decodeSetField(r, true);
    case 37:
      return decodeController2(r);
    case 39:
      return { kind: "output_trunc", port: decodeOutputPort(r, r.u16()), maxLength: r.u32() };
    case 46:
      return decodeEncap(r);
    case 47:
      r.skip(2);
      return { kind: "decap", packetType: r.u32() };
    case 49: {
      const [size, offset] = [r.u16(), r.u16()];
      const to = checkTarget(r, checkSubfield(r, pullFieldName(r), offset, 1));
      r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
      return to && { kind: "check_pkt_larger", size, to };
    }
    case 50: {
      const f = pullFieldName(r);
      return f && { kind: "delete_field", field: f };
    }
    default:
      r.fail("OFPBAC_BAD_VENDOR_TYPE", `Nicira action ${subtype}`);
      return undefined;
  }
}

const reasonOf = (number: number): PacketInReason => packetInReasons[number] ?? "action";

/** The part of `f` that is meant, if it lies within the field. */
export function checkSubfield(r: WireReader, f: Field | undefined, offset: number, bits: number): Subfield | undefined {
  if (f === undefined || !r.ok) return undefined;
  if (bits === 0 || offset + bits > f.bits) {
    r.fail("OFPBAC_BAD_SET_LEN", `${f.name}[${offset}..${offset + bits - 1}]`);
    return undefined;
  }
  return { field: f, offset, bits };
}

export const pullSubfield = (r: WireReader, f: Field | undefined, ofsNbits: number): Subfield | undefined =>
  checkSubfield(r, f, ofsNbits >> 6, (ofsNbits & 0x3f) + 1);

export function checkTarget(r: WireReader, s: Subfield | undefined): Subfield | undefined {
  if (s !== undefined && !s.field.writable) r.fail("OFPBAC_BAD_SET_ARGUMENT", `${s.field.name} is read-only`);
  return s;
}

function decodeCopyField(r: WireReader): Action | undefined {
  const [bits, fromOffset, toOffset] = [r.u16(), r.u16(), r.u16()];
  r.skip(2);
  return decodeMove(r, bits, fromOffset, toOffset);
}

function decodeMove(r: WireReader, bits: number, fromOffset: number, toOffset: number): Action | undefined {
  const fromField = pullFieldName(r);
  const toField = pullFieldName(r);
  r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
  const from = checkSubfield(r, fromField, fromOffset, bits);
  const to = checkTarget(r, checkSubfield(r, toField, toOffset, bits));
  return from && to && { kind: "move", from, to };
}

function decodeSetField(r: WireReader, mayMask: boolean): Action | undefined {
  const entry = pullEntry(r, "action");
  if (entry?.field === undefined) return undefined;
  const { field: f, value, mask } = entry;
  if (entry.masked && !mayMask) r.fail("OFPBAC_BAD_SET_MASK");
  r.zeros(r.remaining, "OFPBAC_BAD_SET_ARGUMENT");
  const isOutOfRange = !f.isVariable && BigInt(value) > BigInt(exactMask(f));
  const isUntagged = f.name === "vlan_vid" && ((Number(value) & Number(mask)) & 0x1000) === 0;
  if (!f.writable || f.name === "in_port_oxm" || isOutOfRange || isUntagged) r.fail("OFPBAC_BAD_SET_ARGUMENT", f.name);
  const full = exactMask(f);
  return { kind: "set_field", field: f, value, mask: f.isVariable || BigInt(mask) <= BigInt(full) ? mask : full };
}

function decodeLoad(r: WireReader): Action | undefined {
  const ofsNbits = r.u16();
  const to = checkTarget(r, pullSubfield(r, fieldOfNxmHeader(r, r.u32()), ofsNbits));
  const value = r.u64();
  if (to === undefined) return undefined;
  if (value >> BigInt(to.bits) !== 0n) r.fail("OFPBAC_BAD_ARGUMENT", "a value wider than its target");
  const [shifted, mask] = [value << BigInt(to.offset), ((1n << BigInt(to.bits)) - 1n) << BigInt(to.offset)];
  const f = to.field;
  return { kind: "set_field", field: f, value: f.isWide ? shifted : Number(shifted), mask: f.isWide ? mask : Number(mask), asLoad: true };
}

function decodeDecTtl(r: WireReader): Action {
  const count = r.u16();
  r.zeros(4, "NXBRC_MUST_BE_ZERO");
  if (r.remaining < 2 * count) r.fail("OFPBAC_BAD_LEN");
  const controllers: number[] = [];
  for (let i = 0; i < count && r.ok; i++) controllers.push(r.u16());
  return { kind: "dec_ttl", controllers };
}

function decodeController2(r: WireReader): Action {
  r.zeros(6, "NXBRC_MUST_BE_ZERO");
  let action: Controller = { kind: "controller", maxLength: 0xffff, controllerId: 0, reason: "action" };
  while (r.remaining > 0) {
    const size = r.peekU16(2);
    if (r.remaining < 4 || size < 4 || Math.ceil(size / 8) * 8 > r.remaining) {
      r.fail("OFPBPC_BAD_LEN");
      break;
    }
    const property = r.part(size, "OFPBPC_BAD_LEN");
    r.skip((8 - (size % 8)) % 8);
    const type = property.u16();
    property.skip(2);
    if (type === 0) action = { ...action, maxLength: property.u16() };
    else if (type === 1) action = { ...action, controllerId: property.u16() };
    else if (type === 2) action = { ...action, reason: reasonOf(property.u8()) };
    else if (type === 3) action = { ...action, userdata: property.rest().slice() };
    else if (type === 4) action = { ...action, pause: true };
    else if (type === 5) action = { ...action, meterId: property.u32() };
    else r.fail("OFPBPC_BAD_TYPE");
  }
  return action;
}

function decodeBundle(r: WireReader, isLoad: boolean): Action | undefined {
  const [algorithm, fields, basis, memberType, count, ofsNbits, target] = [r.u16(), r.u16(), r.u16(), r.u32(), r.u16(), r.u16(), r.u32()];
  r.zeros(4, "OFPBAC_BAD_ARGUMENT");
  const to = isLoad ? checkTarget(r, pullSubfield(r, fieldOfNxmHeader(r, target), ofsNbits)) : undefined;
  const [hash, how] = [hashFields[fields], bundleAlgorithms[algorithm]];
  if (hash === undefined || how === undefined || memberType !== 2 || count > 2048) r.fail("OFPBAC_BAD_ARGUMENT");
  else if (isLoad ? (to?.bits ?? 0) < 16 : ofsNbits !== 0 || target !== 0) r.fail("OFPBAC_BAD_ARGUMENT");
  if (r.remaining < 2 * count) r.fail("OFPBAC_BAD_LEN");
  const members: number[] = [];
  for (let i = 0; i < count && r.ok; i++) members.push(r.u16());
  if (!r.ok || hash === undefined || how === undefined) return undefined;
  const bundle: Bundle = { kind: "bundle", fields: hash, basis, algorithm: how, members };
  return to === undefined ? bundle : { ...bundle, to };
}

function decodeMultipath(r: WireReader): Multipath | undefined {
  const fields: HashFields | undefined = hashFields[r.u16()];
  const basis = r.u16();
  r.skip(2);
  const algorithm = multipathAlgorithms[r.u16()];
  const [links, argument] = [r.u16() + 1, r.u32()];
  r.skip(2);
  const ofsNbits = r.u16();
  const to = checkTarget(r, pullSubfield(r, fieldOfNxmHeader(r, r.u32()), ofsNbits));
  if (fields === undefined || algorithm === undefined || (to !== undefined && 2 ** to.bits < links)) r.fail("OFPBAC_BAD_ARGUMENT");
  return fields && algorithm && to && { kind: "multipath", fields, basis, algorithm, links, argument, to };
}

function decodeSample(r: WireReader, subtype: number): Sample | undefined {
  const [probability, collectorSet] = [r.u16(), r.u32()];
  const source = (): number | Subfield => {
    if (subtype !== 51) return r.u32();
    const header = r.u32();
    if (header === 0) return r.u32();
    const from = pullSubfield(r, fieldOfNxmHeader(r, header), r.u16());
    r.skip(2);
    return from ?? 0;
  };
  const [domain, point] = [source(), source()];
  const samplingPort = subtype === 29 ? ports.none : r.u16();
  const direction = subtype === 29 ? 0 : r.u8();
  if (subtype !== 29) r.zeros(5, "NXBRC_MUST_BE_ZERO");
  if (direction > 2) r.fail("OFPBAC_BAD_ARGUMENT");
  if (probability === 0) r.fail("OFPBAC_BAD_ARGUMENT");
  const sample: Sample = { kind: "sample", probability, collectorSet, domain, point, samplingPort };
  return direction === 0 ? sample : { ...sample, direction: direction === 1 ? "ingress" : "egress" };
}

function decodeEncap(r: WireReader): Action {
  const [headerSize, packetType] = [r.u16(), r.u32()];
  // Ethernet, NSH, MPLS, MPLS multicast.
  if (![0, 0x1894f, 0x18847, 0x18848].includes(packetType)) r.fail("NXBAC_BAD_HEADER_TYPE");
  const properties: EncapProperty[] = [];
  while (r.remaining > 0) {
    const [propertyClass, type, size] = [r.u16(), r.u8(), r.u8()];
    if (size < 4 || size - 4 > r.remaining) r.fail("NXBAC_BAD_ED_PROP");
    else {
      properties.push({ propertyClass, type, data: r.bytes(size - 4).slice() });
      r.skip(Math.min(r.remaining, (8 - (size % 8)) % 8));
    }
  }
  return { kind: "encap", packetType, headerSize, properties };
}
