/** One of several by a hash over the packet's fields: a port (`bundle`), a number (`multipath`) (ovs-actions(7)). */
import {
  type Action, type Bundle, bundleAlgorithms, hashFields, type HashFields, type Multipath, multipathAlgorithms,
} from "./action.ts";
import type { Forms } from "./form.ts";
import { checkTarget, headerOf, nicira, ofsNbits, pullPart, unpack } from "./layout.ts";
import { fieldOfNxmHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield } from "../match/subfield.ts";
import { formatPort, parsePort } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import type { Complaint } from "../text-input.ts";

/** NXM_OF_IN_PORT: a bundle's members are ports. */
const membersArePorts = 2;
const maxMembers = 2048;

const findHashFields = (text: string, complaint: Complaint): HashFields | undefined =>
  hashFields.find((f) => f === text.toLowerCase()) ?? complaint.say(`unknown fields \`${text}'`);

function parseMultipath(text: string, complaint: Complaint): Action | undefined {
  const [fieldsText = "", basis = "", algorithmText = "", linksText = "", argument = "", target] = text.split(/[, ]+/);
  if (target === undefined) return complaint.say(`${text}: not enough arguments to multipath action`);
  const fields = findHashFields(fieldsText, complaint);
  const algorithm = multipathAlgorithms.find((a) => a === algorithmText.toLowerCase());
  if (algorithm === undefined) return complaint.say(`${text}: unknown algorithm \`${algorithmText}'`);
  const links = Number.parseInt(linksText, 10);
  if (!(links >= 1 && links <= 65536)) return complaint.say(`${text}: n_links ${links} is not in valid range 1 to 65536`);
  const to = parseSubfield(target, complaint);
  if (fields === undefined || to === undefined) return undefined;
  if (to.bits < 16 && links > 2 ** to.bits) return complaint.say(`${text}: ${to.bits}-bit destination field has ${2 ** to.bits} possible values, less than specified n_links ${links}`);
  return { kind: "multipath", fields, basis: Number.parseInt(basis, 10) & 0xffff, algorithm, links, argument: Number.parseInt(argument, 10) >>> 0, to };
}

const formatMultipath = (a: Multipath): string =>
  `multipath(${a.fields},${a.basis},${a.algorithm},${a.links},${a.argument},${formatSubfield(a.to)})`;

function encodeMultipath(w: WireWriter, action: Multipath): void {
  nicira(w, 10, () => {
    w.u16(hashFields.indexOf(action.fields));
    w.u16(action.basis);
    w.zeros(2);
    w.u16(multipathAlgorithms.indexOf(action.algorithm));
    w.u16(action.links - 1);
    w.u32(action.argument);
    w.zeros(2);
    w.u16(ofsNbits(action.to));
    w.u32(headerOf(w, action.to));
  });
}

function decodeMultipath(r: WireReader): Multipath | undefined {
  const fields = hashFields[r.u16()];
  const basis = r.u16();
  r.skip(2);
  const algorithm = multipathAlgorithms[r.u16()];
  const [links, argument] = [r.u16() + 1, r.u32()];
  r.skip(2);
  const to = checkTarget(r, pullPart(r, r.u16()));
  if (fields === undefined || algorithm === undefined || (to !== undefined && 2 ** to.bits < links)) r.fail("OFPBAC_BAD_ARGUMENT");
  return fields && algorithm && to && { kind: "multipath", fields, basis, algorithm, links, argument, to };
}

function parseBundle(text: string, isLoad: boolean, complaint: Complaint): Action | undefined {
  const [head = "", tail] = text.split(/,?\s*(?:members|slaves):/);
  const [fieldsText = "", basis = "", algorithmText = "", memberType = "", target] = head.split(/[, ]+/);
  if (tail === undefined) return complaint.say(`${text}: not enough arguments to bundle action`);
  const fields = findHashFields(fieldsText, complaint);
  const algorithm = bundleAlgorithms.find((a) => a === algorithmText.toLowerCase());
  if (algorithm === undefined) return complaint.say(`${text}: unknown algorithm \`${algorithmText}'`);
  if (memberType.toLowerCase() !== "ofport") return complaint.say(`${text}: unknown member_type \`${memberType}'`);
  const members: number[] = [];
  for (const member of tail.split(/[, [\]]+/).filter((m) => m !== "")) {
    const port = parsePort(member);
    if (port === undefined) return complaint.say(`${member}: bad port number`);
    members.push(port);
  }
  const to = isLoad ? parseSubfield(target ?? "", complaint) : undefined;
  if (fields === undefined || (isLoad && to === undefined)) return undefined;
  return { kind: "bundle", fields, basis: Number.parseInt(basis, 10) & 0xffff, algorithm, members, ...(to !== undefined && { to }) };
}

function formatBundle(a: Bundle): string {
  const to = a.to === undefined ? "" : `${formatSubfield(a.to)},`;
  return `${a.to === undefined ? "bundle" : "bundle_load"}(${a.fields},${a.basis},${a.algorithm},ofport,${to}members:${a.members.map(formatPort).join(",")})`;
}

function encodeBundle(w: WireWriter, action: Bundle): void {
  nicira(w, action.to === undefined ? 12 : 13, () => {
    w.u16(bundleAlgorithms.indexOf(action.algorithm));
    w.u16(hashFields.indexOf(action.fields));
    w.u16(action.basis);
    w.u32(membersArePorts);
    w.u16(action.members.length);
    w.u16(action.to === undefined ? 0 : ofsNbits(action.to));
    w.u32(action.to === undefined ? 0 : headerOf(w, action.to));
    w.zeros(4);
    for (const member of action.members) w.u16(member);
  });
}

function decodeBundle(r: WireReader, isLoad: boolean): Bundle | undefined {
  const [algorithm, fields, basis, memberType, count, packed, target] = [r.u16(), r.u16(), r.u16(), r.u32(), r.u16(), r.u16(), r.u32()];
  r.zeros(4, "OFPBAC_BAD_ARGUMENT");
  const to = isLoad ? checkTarget(r, unpack(r, fieldOfNxmHeader(r, target), packed)) : undefined;
  const [hash, how] = [hashFields[fields], bundleAlgorithms[algorithm]];
  if (hash === undefined || how === undefined || memberType !== membersArePorts || count > maxMembers) r.fail("OFPBAC_BAD_ARGUMENT");
  else if (isLoad ? (to?.bits ?? 0) < 16 : packed !== 0 || target !== 0) r.fail("OFPBAC_BAD_ARGUMENT");
  if (r.remaining < 2 * count) r.fail("OFPBAC_BAD_LEN");
  const members: number[] = [];
  for (let i = 0; i < count && r.ok; i++) members.push(r.u16());
  if (!r.ok || hash === undefined || how === undefined) return undefined;
  return { kind: "bundle", fields: hash, basis, algorithm: how, members, ...(to !== undefined && { to }) };
}

export const hashChoices: Forms<"bundle" | "multipath"> = {
  bundle: {
    parse: {
      bundle: (text, complaint) => parseBundle(text, false, complaint),
      bundle_load: (text, complaint) => parseBundle(text, true, complaint),
    },
    format: formatBundle,
    encode: encodeBundle,
    nicira: { 12: (r) => decodeBundle(r, false), 13: (r) => decodeBundle(r, true) },
  },
  multipath: { parse: { multipath: parseMultipath }, format: formatMultipath, encode: encodeMultipath, nicira: { 10: decodeMultipath } },
};
