/**
 * Actions on the wire of OpenFlow 1.0, where they differ from later versions' (OpenFlow 1.0, section 5.2.4): its own for
 * the headers of its day, Nicira extensions for everything else. What it cannot say (a meter) is left out, as OVS does.
 */
import type { Action } from "./action.ts";
import { field, type FieldValue } from "../match/field.ts";
import { exactMask } from "../match/match.ts";
import { ports } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

/** A standard action of 8 or 16 bytes. */
function standard(w: WireWriter, type: number, size: 8 | 16, body: () => void): void {
  const start = w.size;
  w.u16(type);
  w.u16(size);
  body();
  w.zeros(size - (w.size - start));
}

const vlanOf = (w: WireWriter, vid: number): void => standard(w, 1, 8, () => w.u16(vid & 0xfff));
const priorityOf = (w: WireWriter, pcp: number): void => standard(w, 2, 8, () => w.u8(pcp & 7));

/** Writes `action` if OpenFlow 1.0 has one of its own for it, or none at all; false: it is for the extensions. */
export function encodeOf10Action(w: WireWriter, action: Action, nicira: (subtype: number, body: () => void) => void): boolean {
  switch (action.kind) {
    case "output":
      standard(w, 0, 8, () => (w.u16(action.port), w.u16(action.maxLength ?? 0)));
      return true;
    case "enqueue":
      standard(w, 11, 16, () => (w.u16(action.port), w.zeros(6), w.u32(action.queue)));
      return true;
    case "set_vlan_vid":
      vlanOf(w, action.vid);
      return true;
    case "set_vlan_pcp":
      priorityOf(w, action.pcp);
      return true;
    case "push_vlan":
      // Setting the tag's fields, which follows, pushes it.
      return true;
    case "pop_vlan":
      standard(w, 3, 8, () => {});
      return true;
    case "mod_tp_src":
    case "mod_tp_dst":
      standard(w, action.kind === "mod_tp_src" ? 9 : 10, 8, () => w.u16(action.port));
      return true;
    case "set_field":
      return action.asLoad !== true && action.mask === exactMask(action.field) ? encodeSet(w, action.field.name, action.value) : encodeTag(w, action);
    case "mod_dl_src":
    case "mod_dl_dst":
      return encodeSet(w, action.kind === "mod_dl_src" ? "eth_src" : "eth_dst", action.mac);
    case "mod_nw_src":
    case "mod_nw_dst":
      return encodeSet(w, action.kind === "mod_nw_src" ? "ip_src" : "ip_dst", action.ip);
    case "mod_nw_tos":
      return encodeSet(w, "nw_tos", action.tos);
    case "set_queue":
      nicira(4, () => (w.zeros(2), w.u32(action.queue)));
      return true;
    case "group":
      nicira(40, () => (w.zeros(2), w.u32(action.group)));
      return true;
    case "set_tunnel":
      if (action.id <= 0xffffffffn && action.wide !== true) nicira(2, () => (w.zeros(2), w.u32(Number(action.id))));
      else nicira(9, () => (w.zeros(6), w.u64(action.id)));
      return true;
    case "goto_table":
      nicira(14, () => (w.u16(ports.inPort), w.u8(action.table)));
      return true;
    case "meter":
    case "clear_actions":
    case "write_actions":
      return true;
    case "dec_ttl":
      if (action.controllers.length !== 1 || action.controllers[0] !== 0) return false;
      nicira(18, () => {});
      return true;
    case "push_mpls":
    case "pop_mpls":
      nicira(action.kind === "push_mpls" ? 23 : 24, () => w.u16(action.ethType));
      return true;
    case "set_mpls_ttl":
      nicira(25, () => w.u8(action.ttl));
      return true;
    case "dec_mpls_ttl":
      nicira(26, () => {});
      return true;
    case "set_mpls_label":
      nicira(30, () => (w.zeros(2), w.u32(action.label)));
      return true;
    case "set_mpls_tc":
      nicira(31, () => w.u8(action.tc));
      return true;
    default:
      return false;
  }
}

/** Sets all of a field that OpenFlow 1.0 has an action for. */
function encodeSet(w: WireWriter, name: string, value: FieldValue): boolean {
  const number = Number(value);
  switch (name) {
    case "vlan_tci":
      if ((number & 0x1000) === 0) standard(w, 3, 8, () => {});
      else {
        vlanOf(w, number);
        priorityOf(w, number >> 13);
      }
      return true;
    case "vlan_vid":
      vlanOf(w, number);
      return true;
    case "vlan_pcp":
      priorityOf(w, number);
      return true;
    case "eth_src":
    case "eth_dst":
      standard(w, name === "eth_src" ? 4 : 5, 16, () => w.u48(number));
      return true;
    case "ip_src":
    case "ip_dst":
      standard(w, name === "ip_src" ? 6 : 7, 8, () => w.u32(number));
      return true;
    case "nw_tos":
    case "ip_dscp":
      standard(w, 8, 8, () => w.u8(name === "nw_tos" ? number & 0xfc : number << 2));
      return true;
    case "tcp_src":
    case "udp_src":
    case "tcp_dst":
    case "udp_dst":
      standard(w, name.endsWith("src") ? 9 : 10, 8, () => w.u16(number));
      return true;
    default:
      return false;
  }
}

/** What this version's VLAN actions are kept as: they push a tag where there is none. */
function encodeTag(w: WireWriter, action: Extract<Action, { kind: "set_field" }>): boolean {
  if (action.field.name !== "vlan_tci" || (Number(action.value) & 0x1000) === 0) return false;
  if (action.mask === 0x1fff) vlanOf(w, Number(action.value));
  else if (action.mask === 0xf000) priorityOf(w, Number(action.value) >> 13);
  else return false;
  return true;
}

const setTci = (value: number, mask: number): Action => ({ kind: "set_field", field: field("vlan_tci"), value, mask });

/** A standard action of `type`; undefined where there is none, and the reader has failed. */
export function decodeOf10Action(r: WireReader, type: number, checkPort: (port: number) => number): Action | undefined {
  switch (type) {
    case 0: {
      const [port, maxLength] = [checkPort(r.u16()), r.u16()];
      return port === ports.controller || maxLength !== 0 ? { kind: "output", port, maxLength } : { kind: "output", port };
    }
    case 1:
      return setTci((r.u16() & 0xfff) | 0x1000, 0x1fff);
    case 2:
      return setTci(((r.u8() & 7) << 13) | 0x1000, 0xf000);
    case 3:
      return { kind: "pop_vlan" };
    case 4:
    case 5:
      return { kind: type === 4 ? "mod_dl_src" : "mod_dl_dst", mac: r.u48() };
    case 6:
    case 7:
      return { kind: type === 6 ? "mod_nw_src" : "mod_nw_dst", ip: r.u32() };
    case 8:
      return { kind: "mod_nw_tos", tos: r.u8() & 0xfc };
    case 9:
    case 10:
      return { kind: type === 9 ? "mod_tp_src" : "mod_tp_dst", port: r.u16() };
    case 11: {
      const port = checkPort(r.u16());
      r.skip(6);
      return { kind: "enqueue", port, queue: r.u32() };
    }
    default:
      r.fail("OFPBAC_BAD_TYPE", `type ${type}`);
      return undefined;
  }
}

/** Those Nicira actions that later versions have standard ones for. */
export function decodeOf10Extension(r: WireReader, subtype: number): Action | undefined {
  switch (subtype) {
    case 4:
      r.skip(2);
      return { kind: "set_queue", queue: r.u32() };
    case 18:
      return { kind: "dec_ttl", controllers: [0] };
    case 23:
    case 24:
      return { kind: subtype === 23 ? "push_mpls" : "pop_mpls", ethType: r.u16() };
    case 25:
      return { kind: "set_mpls_ttl", ttl: r.u8() };
    case 26:
      return { kind: "dec_mpls_ttl" };
    case 30:
      r.skip(2);
      return { kind: "set_mpls_label", label: r.u32() };
    case 31:
      return { kind: "set_mpls_tc", tc: r.u8() };
    case 40:
      r.skip(2);
      return { kind: "group", group: r.u32() };
    default:
      return undefined;
  }
}
