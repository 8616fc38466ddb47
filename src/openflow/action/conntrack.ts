/** Connections (ovs-actions(7), "The ct action", "The ct_clear action"). What `ct` may do to a connection stands within it. */
import type { Action, Ct } from "./action.ts";
import type { DecodeNested, EncodeNested, FormatNested, Forms } from "./form.ts";
import { headerOf, nicira, niciraWord, ofsNbits } from "./layout.ts";
import { formatNat, parseNat } from "./nat.ts";
import { fieldOfNxmHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield, type Subfield } from "../match/subfield.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { Complaint, parseBounded, splitKeyValues } from "../text-input.ts";

/** No recirculation; on the wire only. */
const noTable = 0xff;
const gatewayPorts: ReadonlyMap<string, number> = new Map([["ftp", 21], ["tftp", 69]]);
const gatewayNames: ReadonlyMap<number, string> = new Map([...gatewayPorts].map(([name, port]) => [port, name]));

function parseCt(text: string, complaint: Complaint, nested: (text: string) => Action[]): Action | undefined {
  let ct: Omit<Ct, "exec"> = { kind: "ct", commit: false, force: false, zone: { kind: "immediate", zone: 0 }, alg: 0 };
  const exec: Action[] = [];
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "commit") ct = { ...ct, commit: true };
    else if (key === "force") ct = { ...ct, force: true };
    else if (key === "table") {
      const table = parseBounded(value, 8, "table", complaint);
      if (table === noTable) return complaint.say("invalid table 0xff");
      if (table !== undefined) ct = { ...ct, table };
    } else if (key === "zone") ct = { ...ct, zone: parseZone(value, complaint) };
    else if (key === "alg") {
      const alg = gatewayPorts.get(value);
      if (alg === undefined) return complaint.say(`invalid conntrack helper "${value}"`);
      ct = { ...ct, alg };
    } else if (key === "nat") {
      const nat = parseNat(value, complaint);
      if (nat !== undefined) exec.push(nat);
    } else if (key === "exec") exec.push(...nested(value));
    else return complaint.say(`invalid argument to "ct" action: \`${key}'`);
  }
  return ct.force && !ct.commit ? complaint.say('"force" flag requires "commit" flag.') : { ...ct, exec };
}

function parseZone(text: string, complaint: Complaint): Ct["zone"] {
  const zone = parseBounded(text, 16, "zone", new Complaint());
  const from = zone === undefined ? parseSubfield(text, complaint) : undefined;
  return from === undefined ? { kind: "immediate", zone: zone ?? 0 } : { kind: "field", from };
}

function formatCt(a: Ct, nested: FormatNested): string {
  const [first, ...others] = a.exec;
  const isNatFirst = first?.kind === "nat";
  const rest = isNatFirst ? others : a.exec;
  const zone = a.zone.kind === "field" ? [`zone=${formatSubfield(a.zone.from)}`] : a.zone.zone === 0 ? [] : [`zone=${a.zone.zone}`];
  const parts = [
    a.commit ? ["commit"] : [], a.force ? ["force"] : [], a.table === undefined ? [] : [`table=${a.table}`], zone,
    isNatFirst ? [formatNat(first)] : [], rest.length === 0 ? [] : [`exec(${nested(rest)})`],
    a.alg === 0 ? [] : [`alg=${gatewayNames.get(a.alg) ?? a.alg}`],
  ];
  return `ct(${parts.flat().join(",")})`;
}

function encodeCt(w: WireWriter, action: Ct, nested: EncodeNested): void {
  nicira(w, 35, () => {
    w.u16((action.commit ? 1 : 0) | (action.force ? 2 : 0));
    if (action.zone.kind === "immediate") (w.u32(0), w.u16(action.zone.zone));
    else (w.u32(headerOf(w, action.zone.from)), w.u16(ofsNbits(action.zone.from)));
    w.u8(action.table ?? noTable);
    w.zeros(3);
    w.u16(action.alg);
    nested(w, action.exec);
  });
}

function decodeCt(r: WireReader, nested: DecodeNested): Action | undefined {
  const flags = r.u16();
  const commit = (flags & 1) !== 0;
  const force = (flags & 2) !== 0;
  const [source, packed] = [r.u32(), r.u16()];
  if (force && !commit) r.fail("OFPBAC_BAD_ARGUMENT", "force without commit");
  const zone = decodeZone(r, source, packed);
  const table = r.u8();
  r.skip(3);
  const alg = r.u16();
  const exec = nested(r);
  for (const action of exec) checkExec(r, action, commit);
  const ct: Ct = { kind: "ct", commit, force, zone, alg, exec };
  return table === noTable ? ct : { ...ct, table };
}

function decodeZone(r: WireReader, source: number, packed: number): Ct["zone"] {
  if (source === 0) return { kind: "immediate", zone: packed };
  const f = fieldOfNxmHeader(r, source);
  const [offset, bits] = [packed >> 6, (packed & 0x3f) + 1];
  if (f === undefined) return { kind: "immediate", zone: packed };
  if (bits !== 16 || offset + bits > f.bits) r.fail("OFPBAC_BAD_SET_LEN", "a zone has 16 bits");
  return { kind: "field", from: { field: f, offset, bits } };
}

const isOfConnection = ({ field: { name } }: Pick<Subfield, "field">): boolean => name === "ct_mark" || name === "ct_label";

/** What is done to a connection is translation, or sets what is kept with it; and only where one is committed. */
function checkExec(r: WireReader, action: Action, commit: boolean): void {
  const isNat = action.kind === "nat";
  const isSet = (action.kind === "set_field" && isOfConnection(action)) || (action.kind === "move" && isOfConnection(action.to));
  if (!isNat && !isSet) r.fail("OFPBAC_BAD_ARGUMENT", `${action.kind} inside ct`);
  if (!commit && !(isNat && action.direction === undefined && action.ipMin === undefined)) r.fail("OFPBAC_BAD_ARGUMENT", "ct without commit changes nothing");
}

export const connections: Forms<"ct" | "ct_clear"> = {
  ct: { parse: { ct: parseCt }, format: formatCt, encode: encodeCt, nicira: { 35: decodeCt }, inActionSet: true },
  ct_clear: { ...niciraWord({ kind: "ct_clear" }, 43), inActionSet: true },
};
