/**
 * The headers of Ethernet, IP and transport, by the actions of OpenFlow 1.0, which are written as `set_field` since; TTLs;
 * and the tunnel's key.
 */
import { formatIpv4, formatMac, ipv4Of, macOf, parseIpv4, parseMac } from "../../net/index.ts";
import type { Action, ActionOf } from "./action.ts";
import { always, type Decode, type Form, type Forms, number } from "./form.ts";
import { nicira, nothing, standard } from "./layout.ts";
import { putSet } from "./set-field.ts";
import { of10 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, hex, parseU64 } from "../text-input.ts";

function macForm(kind: "mod_dl_src" | "mod_dl_dst", name: "eth_src" | "eth_dst", type: number, of10Type: number): Form<ActionOf<"mod_dl_src" | "mod_dl_dst">> {
  const decode: Decode = (r) => ({ kind, mac: r.u48() });
  return {
    parse: {
      [kind]: (text, complaint) => {
        const mac = parseMac(text);
        return mac === undefined ? complaint.say(`${text}: invalid Ethernet address`) : { kind, mac };
      },
    },
    format: ({ mac }) => `${kind}:${formatMac(macOf(mac))}`,
    encode: (w, { mac }) => putSet(w, name, mac),
    standard: { [type]: decode },
    of10: { standard: { [of10Type]: decode } },
    inActionSet: true,
  };
}

function ipForm(kind: "mod_nw_src" | "mod_nw_dst", name: "ip_src" | "ip_dst", type: number, of10Type: number): Form<ActionOf<"mod_nw_src" | "mod_nw_dst">> {
  const decode: Decode = (r) => ({ kind, ip: r.u32() });
  return {
    parse: {
      [kind]: (text, complaint) => {
        const ip = parseIpv4(text);
        return ip === undefined ? complaint.say(`${text}: invalid IP address`) : { kind, ip };
      },
    },
    format: ({ ip }) => `${kind}:${formatIpv4(ipv4Of(ip))}`,
    encode: (w, { ip }) => putSet(w, name, ip),
    standard: { [type]: decode },
    of10: { standard: { [of10Type]: decode } },
    inActionSet: true,
  };
}

/** It has no protocol to go by, so that it stays an action in every version. */
function portForm(kind: "mod_tp_src" | "mod_tp_dst", type: number): Form<ActionOf<"mod_tp_src" | "mod_tp_dst">> {
  const decode: Decode = (r) => ({ kind, port: r.u16() });
  return {
    parse: number([kind], 16, (port) => ({ kind, port })),
    format: ({ port }) => `${kind}:${port}`,
    encode: (w, { port }) => standard(w, type, () => w.u16(port)),
    standard: { [type]: decode },
    of10: { standard: { [type]: decode } },
    inActionSet: true,
  };
}

const decodeTos: Decode = (r) => ({ kind: "mod_nw_tos", tos: r.u8() & 0xfc });

export const headers: Forms<"mod_dl_src" | "mod_dl_dst" | "mod_nw_src" | "mod_nw_dst" | "mod_nw_tos" | "mod_nw_ecn" | "mod_tp_src" | "mod_tp_dst"> = {
  mod_dl_src: macForm("mod_dl_src", "eth_src", 3, 4),
  mod_dl_dst: macForm("mod_dl_dst", "eth_dst", 4, 5),
  mod_nw_src: ipForm("mod_nw_src", "ip_src", 5, 6),
  mod_nw_dst: ipForm("mod_nw_dst", "ip_dst", 6, 7),
  mod_nw_tos: {
    parse: number(["mod_nw_tos"], 8, (tos) => ({ kind: "mod_nw_tos", tos })),
    format: ({ tos }) => `mod_nw_tos:${tos}`,
    encode: (w, { tos }) => putSet(w, "ip_dscp", tos >> 2),
    standard: { 7: decodeTos },
    of10: { standard: { 8: decodeTos } },
    inActionSet: true,
  },
  mod_nw_ecn: {
    parse: number(["mod_nw_ecn"], 2, (ecn) => ({ kind: "mod_nw_ecn", ecn })),
    format: ({ ecn }) => `mod_nw_ecn:${ecn}`,
    encode: (w, { ecn }) => putSet(w, "nw_ecn", ecn),
    standard: { 8: (r) => ({ kind: "mod_nw_ecn", ecn: r.u8() & 3 }) },
    inActionSet: true,
  },
  mod_tp_src: portForm("mod_tp_src", 9),
  mod_tp_dst: portForm("mod_tp_dst", 10),
};

const theController: Action = { kind: "dec_ttl", controllers: [0] };
/** Packets that run out go to controller 0, as they do without a word about it. */
const isPlain = ({ controllers }: ActionOf<"dec_ttl">): boolean => controllers.length === 1 && controllers[0] === 0;

function parseDecTtl(text: string): Action {
  if (text === "") return theController;
  return { kind: "dec_ttl", controllers: text.split(/[, ]+/).filter((id) => id !== "").map((id) => Number.parseInt(id, 10) & 0xffff) };
}

function putDecTtl(w: WireWriter, { controllers }: ActionOf<"dec_ttl">): void {
  nicira(w, 21, () => (w.u16(controllers.length), w.zeros(4), controllers.forEach((id) => w.u16(id))));
}

function decodeDecTtl(r: WireReader): Action {
  const count = r.u16();
  r.zeros(4, "NXBRC_MUST_BE_ZERO");
  if (r.remaining < 2 * count) r.fail("OFPBAC_BAD_LEN");
  const controllers: number[] = [];
  for (let i = 0; i < count && r.ok; i++) controllers.push(r.u16());
  return { kind: "dec_ttl", controllers };
}

export const ttls: Forms<"mod_nw_ttl" | "dec_ttl"> = {
  mod_nw_ttl: {
    parse: number(["mod_nw_ttl", "set_nw_ttl"], 8, (ttl) => ({ kind: "mod_nw_ttl", ttl })),
    format: ({ ttl }) => `mod_nw_ttl:${ttl}`,
    encode: (w, { ttl }) => (w.version === of10 ? putSet(w, "nw_ttl", ttl) : standard(w, 23, () => (w.u8(ttl), w.zeros(3)))),
    standard: { 23: (r) => ({ kind: "mod_nw_ttl", ttl: r.u8() }) },
    inActionSet: true,
  },
  dec_ttl: {
    parse: { dec_ttl: parseDecTtl },
    format: (action) => (isPlain(action) ? "dec_ttl" : `dec_ttl(${action.controllers.join(",")})`),
    encode: (w, action) => (isPlain(action) ? standard(w, 24, () => w.zeros(4)) : putDecTtl(w, action)),
    standard: { 24: always(theController) },
    nicira: { 21: decodeDecTtl },
    of10: {
      encode: (w, action) => (isPlain(action) ? nicira(w, 18, nothing) : putDecTtl(w, action)),
      nicira: { 18: always(theController) },
    },
    inActionSet: true,
  },
};

const parseTunnel = (text: string, complaint: Complaint): bigint | undefined => parseU64(text) ?? complaint.say(`invalid tunnel id "${text}"`);

export const tunnelKeys: Forms<"set_tunnel"> = {
  set_tunnel: {
    parse: {
      set_tunnel: (text, complaint) => {
        const id = parseTunnel(text, complaint);
        return id === undefined ? undefined : { kind: "set_tunnel", id };
      },
      set_tunnel64: (text, complaint) => {
        const id = parseTunnel(text, complaint);
        return id === undefined ? undefined : { kind: "set_tunnel", id, wide: true };
      },
    },
    format: ({ id, wide }) => `set_tunnel${id > 0xffffffffn || wide === true ? "64" : ""}:${hex(id)}`,
    encode: (w, { id }) => putSet(w, "tun_id", id),
    nicira: {
      2: (r) => (r.skip(2), { kind: "set_tunnel", id: BigInt(r.u32()) }),
      9: (r) => (r.skip(6), { kind: "set_tunnel", id: r.u64(), wide: true }),
    },
    of10: {
      encode: (w, { id, wide }) => {
        if (id <= 0xffffffffn && wide !== true) nicira(w, 2, () => (w.zeros(2), w.u32(Number(id))));
        else nicira(w, 9, () => (w.zeros(6), w.u64(id)));
      },
    },
    inActionSet: true,
  },
};
