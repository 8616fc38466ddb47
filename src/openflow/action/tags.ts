/** VLAN tags and MPLS labels: pushed, popped, set (ovs-actions(7), "The push_vlan action" and those after it). */
import type { ActionOf } from "./action.ts";
import { always, type Decode, type Form, type Forms, number } from "./form.ts";
import { nicira, nothing, standard } from "./layout.ts";
import { popVlan } from "./of10-header.ts";
import { putSet } from "./set-field.ts";
import { field } from "../match/field.ts";
import { exactMask } from "../match/match.ts";
import type { WireReader } from "../message/wire-reader.ts";
import { hex } from "../text-input.ts";

/** An Ethernet type which must be one of these. */
function pullEthType(r: WireReader, ...allowed: readonly number[]): number {
  const ethType = r.u16();
  if (!allowed.includes(ethType)) r.fail("OFPBAC_BAD_ARGUMENT");
  return ethType;
}

/** Since OpenFlow 1.1 a number for a field of a tag that is there already. */
function setTag(name: "vlan_vid" | "vlan_pcp", pull: (r: WireReader) => number): Decode {
  const f = field(name);
  return (r) => ({ kind: "set_field", field: f, value: pull(r), mask: exactMask(f) });
}

export const vlans: Forms<"push_vlan" | "pop_vlan" | "set_vlan_vid" | "set_vlan_pcp"> = {
  push_vlan: {
    parse: number(["push_vlan"], 16, (ethType) => ({ kind: "push_vlan", ethType })),
    format: ({ ethType }) => `push_vlan:${hex(ethType)}`,
    encode: (w, { ethType }) => standard(w, 17, () => w.u16(ethType)),
    standard: { 17: (r) => ({ kind: "push_vlan", ethType: pullEthType(r, 0x8100, 0x88a8) }) },
    // In OpenFlow 1.0 setting the tag's fields, which follows, pushes it.
    of10: { encode: nothing },
    inActionSet: true,
  },
  pop_vlan: {
    parse: { pop_vlan: always({ kind: "pop_vlan" }), strip_vlan: always({ kind: "pop_vlan" }) },
    format: () => "pop_vlan",
    encode: (w) => standard(w, 18, () => w.zeros(4)),
    standard: { 18: always({ kind: "pop_vlan" }) },
    of10: { encode: popVlan, standard: { 3: always({ kind: "pop_vlan" }) } },
    inActionSet: true,
  },
  set_vlan_vid: {
    parse: number(["set_vlan_vid", "mod_vlan_vid"], 12, (vid) => ({ kind: "set_vlan_vid", vid })),
    format: ({ vid }) => `set_vlan_vid:${vid}`,
    encode: (w, { vid }) => putSet(w, "vlan_vid", vid | 0x1000),
    standard: { 1: setTag("vlan_vid", (r) => (r.u16() & 0xfff) | 0x1000) },
    inActionSet: true,
  },
  set_vlan_pcp: {
    parse: number(["set_vlan_pcp", "mod_vlan_pcp"], 3, (pcp) => ({ kind: "set_vlan_pcp", pcp })),
    format: ({ pcp }) => `set_vlan_pcp:${pcp}`,
    encode: (w, { pcp }) => putSet(w, "vlan_pcp", pcp),
    standard: { 2: setTag("vlan_pcp", (r) => r.u8() & 7) },
    inActionSet: true,
  },
};

const fourHex = (value: number): string => `0x${value.toString(16).padStart(4, "0")}`;

function stackForm(kind: "push_mpls" | "pop_mpls", type: number, of10Subtype: number, pull: (r: WireReader) => number): Form<ActionOf<"push_mpls"> | ActionOf<"pop_mpls">> {
  return {
    parse: number([kind], 16, (ethType) => ({ kind, ethType })),
    format: ({ ethType }) => `${kind}:${fourHex(ethType)}`,
    encode: (w, { ethType }) => standard(w, type, () => w.u16(ethType)),
    standard: { [type]: (r) => ({ kind, ethType: pull(r) }) },
    of10: {
      encode: (w, { ethType }) => nicira(w, of10Subtype, () => w.u16(ethType)),
      nicira: { [of10Subtype]: (r) => ({ kind, ethType: r.u16() }) },
    },
    inActionSet: true,
  };
}

export const labels: Forms<"push_mpls" | "pop_mpls" | "set_mpls_label" | "set_mpls_tc" | "set_mpls_ttl" | "dec_mpls_ttl"> = {
  push_mpls: stackForm("push_mpls", 19, 23, (r) => pullEthType(r, 0x8847, 0x8848)),
  pop_mpls: stackForm("pop_mpls", 20, 24, (r) => r.u16()),
  set_mpls_label: {
    parse: number(["set_mpls_label"], 20, (label) => ({ kind: "set_mpls_label", label })),
    format: ({ label }) => `set_mpls_label(${label})`,
    encode: (w, { label }) => putSet(w, "mpls_label", label),
    standard: { 13: (r) => ({ kind: "set_mpls_label", label: r.u32() }) },
    of10: {
      encode: (w, { label }) => nicira(w, 30, () => (w.zeros(2), w.u32(label))),
      nicira: { 30: (r) => (r.skip(2), { kind: "set_mpls_label", label: r.u32() }) },
    },
    inActionSet: true,
  },
  set_mpls_tc: {
    parse: number(["set_mpls_tc"], 3, (tc) => ({ kind: "set_mpls_tc", tc })),
    format: ({ tc }) => `set_mpls_tc(${tc})`,
    encode: (w, { tc }) => putSet(w, "mpls_tc", tc),
    standard: { 14: (r) => ({ kind: "set_mpls_tc", tc: r.u8() }) },
    of10: { encode: (w, { tc }) => nicira(w, 31, () => w.u8(tc)), nicira: { 31: (r) => ({ kind: "set_mpls_tc", tc: r.u8() }) } },
    inActionSet: true,
  },
  set_mpls_ttl: {
    parse: number(["set_mpls_ttl"], 8, (ttl) => ({ kind: "set_mpls_ttl", ttl })),
    format: ({ ttl }) => `set_mpls_ttl(${ttl})`,
    encode: (w, { ttl }) => standard(w, 15, () => w.u8(ttl)),
    standard: { 15: (r) => ({ kind: "set_mpls_ttl", ttl: r.u8() }) },
    of10: { encode: (w, { ttl }) => nicira(w, 25, () => w.u8(ttl)), nicira: { 25: (r) => ({ kind: "set_mpls_ttl", ttl: r.u8() }) } },
    inActionSet: true,
  },
  dec_mpls_ttl: {
    parse: { dec_mpls_ttl: always({ kind: "dec_mpls_ttl" }) },
    format: () => "dec_mpls_ttl",
    encode: (w) => standard(w, 16, () => w.zeros(4)),
    standard: { 16: always({ kind: "dec_mpls_ttl" }) },
    of10: { encode: (w) => nicira(w, 26, nothing), nicira: { 26: always({ kind: "dec_mpls_ttl" }) } },
    inActionSet: true,
  },
};
