/**
 * OpenFlow 1.0's own actions for the headers of its day (section 5.2.4), each of which sets all of one field. Its VLAN
 * actions push a tag where there is none, and are kept as what they do to `vlan_tci`.
 */
import type { Action, SetField } from "./action.ts";
import type { Decoders } from "./form.ts";
import { nothing, standard } from "./layout.ts";
import { field, type FieldValue } from "../match/field.ts";
import type { FieldName } from "../match/field-table.ts";
import { exactMask } from "../match/match.ts";
import type { WireWriter } from "../message/wire-writer.ts";

const putVlan = (w: WireWriter, vid: number): void => standard(w, 1, () => w.u16(vid & 0xfff));
const putPriority = (w: WireWriter, pcp: number): void => standard(w, 2, () => w.u8(pcp & 7));
export const popVlan = (w: WireWriter): void => standard(w, 3, nothing);

function putTag(w: WireWriter, tci: number): void {
  if ((tci & 0x1000) === 0) return popVlan(w);
  putVlan(w, tci);
  putPriority(w, tci >> 13);
}

const setters: ReadonlyMap<FieldName, (w: WireWriter, value: number) => void> = new Map<FieldName, (w: WireWriter, value: number) => void>([
  ["vlan_tci", putTag],
  ["vlan_vid", putVlan],
  ["vlan_pcp", putPriority],
  ["eth_src", (w, mac) => standard(w, 4, () => w.u48(mac))],
  ["eth_dst", (w, mac) => standard(w, 5, () => w.u48(mac))],
  ["ip_src", (w, ip) => standard(w, 6, () => w.u32(ip))],
  ["ip_dst", (w, ip) => standard(w, 7, () => w.u32(ip))],
  ["nw_tos", (w, tos) => standard(w, 8, () => w.u8(tos & 0xfc))],
  ["ip_dscp", (w, dscp) => standard(w, 8, () => w.u8(dscp << 2))],
  ["tcp_src", (w, port) => standard(w, 9, () => w.u16(port))],
  ["udp_src", (w, port) => standard(w, 9, () => w.u16(port))],
  ["tcp_dst", (w, port) => standard(w, 10, () => w.u16(port))],
  ["udp_dst", (w, port) => standard(w, 10, () => w.u16(port))],
]);

/** Sets all of a field, if OpenFlow 1.0 has an action for it; false: it is for the extensions. */
export function putOf10Set(w: WireWriter, name: FieldName, value: FieldValue): boolean {
  const put = setters.get(name);
  put?.(w, Number(value));
  return put !== undefined;
}

/** The same of a `set_field`, perhaps of part of the tag. */
export function putOf10SetField(w: WireWriter, action: SetField): boolean {
  const { field: f, value, mask } = action;
  if (action.asLoad !== true && mask === exactMask(f)) return putOf10Set(w, f.name, value);
  if (f.name !== "vlan_tci" || (Number(value) & 0x1000) === 0) return false;
  if (mask === 0x1fff) putVlan(w, Number(value));
  else if (mask === 0xf000) putPriority(w, Number(value) >> 13);
  else return false;
  return true;
}

const setTci = (value: number, mask: number): Action => ({ kind: "set_field", field: field("vlan_tci"), value, mask });

export const of10Tags: Decoders = {
  1: (r) => setTci((r.u16() & 0xfff) | 0x1000, 0x1fff),
  2: (r) => setTci(((r.u8() & 7) << 13) | 0x1000, 0xf000),
};
