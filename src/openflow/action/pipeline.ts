/**
 * Where the packet is looked up next, and copies of it that go elsewhere; and the instructions of OpenFlow 1.1 and later,
 * which stand beside the lists of actions on the wire and come last in text (ovs-actions(7), "Instructions").
 */
import { assert } from "../../std/index.ts";
import type { Action, ActionOf, Resubmit } from "./action.ts";
import { always, type Forms, number } from "./form.ts";
import { nicira, niciraVendor, niciraWord, nothing, standard } from "./layout.ts";
import { formatPort, parsePort, ports } from "../message/port.ts";
import { of15 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { Complaint, hex, parseBounded, parseU64 } from "../text-input.ts";

/** The table that the action stands in. */
const ownTable = 255;

function parseResubmit(text: string, complaint: Complaint): Action | undefined {
  const [portText = "", tableText = "", ct = ""] = text.split(",");
  const port = portText === "" ? ports.inPort : parsePort(portText);
  if (port === undefined) return complaint.say(`${portText}: resubmit to unknown port`);
  const table = tableText === "" ? ownTable : parseBounded(tableText, 8, "table", new Complaint());
  if (table === undefined) return complaint.say(`${tableText}: resubmit to unknown table`);
  if (ct !== "" && ct !== "ct") return complaint.say(`${ct}: unknown parameter`);
  if (port === ports.inPort && table === ownTable) return complaint.say('at least one "in_port" or "table" must be specified on resubmit');
  return ct === "ct" ? { kind: "resubmit", port, table, ct: true } : { kind: "resubmit", port, table };
}

function formatResubmit(a: Resubmit): string {
  if (a.port !== ports.inPort && a.table === ownTable) return `resubmit:${formatPort(a.port)}`;
  return `resubmit(${a.port === ports.inPort ? "" : formatPort(a.port)},${a.table === ownTable ? "" : a.table}${a.ct === true ? ",ct" : ""})`;
}

/** Of all actions the one there is most of: written without the detour over `nicira`. */
function encodeResubmit(w: WireWriter, action: Resubmit): void {
  w.u32(0xffff0010);
  w.u32(niciraVendor);
  w.u16(action.ct === true ? 44 : 14);
  w.u16(action.port);
  w.u32(action.table << 24);
}

function decodeResubmit(r: WireReader): Resubmit {
  const resubmit: Resubmit = { kind: "resubmit", port: r.u16(), table: r.u8() };
  r.zeros(3, "OFPBAC_BAD_ARGUMENT");
  return resubmit;
}

export const lookups: Forms<"resubmit" | "clone" | "exit"> = {
  resubmit: {
    parse: { resubmit: parseResubmit },
    format: formatResubmit,
    encode: encodeResubmit,
    nicira: {
      1: (r) => ({ kind: "resubmit", port: r.u16(), table: ownTable }),
      14: decodeResubmit,
      44: (r) => ({ ...decodeResubmit(r), ct: true }),
    },
  },
  clone: {
    parse: { clone: (text, _, nested) => ({ kind: "clone", actions: nested(text) }) },
    format: ({ actions }, nested) => `clone(${nested(actions)})`,
    encode: (w, { actions }, nested) => nicira(w, 42, () => (w.zeros(6), nested(w, actions))),
    nicira: { 42: (r, nested) => (r.skip(6), { kind: "clone", actions: nested(r) }) },
  },
  exit: niciraWord({ kind: "exit" }, 17),
};

function parseWriteMetadata(text: string, complaint: Complaint): Action | undefined {
  const [head = "", tail] = text.split("/");
  const [value, mask] = [parseU64(head), tail === undefined ? 0xffffffffffffffffn : parseU64(tail)];
  return value === undefined || mask === undefined ? complaint.say(`invalid metadata "${text}"`) : { kind: "write_metadata", value, mask };
}

const formatWriteMetadata = ({ value, mask }: ActionOf<"write_metadata">): string =>
  `write_metadata:${hex(value)}${mask === 0xffffffffffffffffn ? "" : `/${hex(mask)}`}`;

const putMetadata = (w: WireWriter, { value, mask }: ActionOf<"write_metadata">): void => (w.u64(value), w.u64(mask));
const pullMetadata = (r: WireReader): Action => ({ kind: "write_metadata", value: r.u64(), mask: r.u64() });
const pullMeter = (r: WireReader): Action => ({ kind: "meter", meter: r.u32() });

const refuse = (_: WireWriter, { kind }: Action): void => assert(false, `${kind} is an instruction, which an action list cannot hold`);

export const instructions: Forms<"meter" | "clear_actions" | "write_actions" | "write_metadata" | "goto_table"> = {
  meter: {
    parse: number(["meter"], 32, (meter) => ({ kind: "meter", meter })),
    format: ({ meter }) => `meter:${meter}`,
    encode: (w, { meter }) => {
      assert(w.version >= of15, "meter is an action only since OpenFlow 1.5");
      standard(w, 29, () => w.u32(meter));
    },
    since15: { 29: pullMeter },
    of10: { encode: nothing },
    instruction: { type: 6, until: of15, encode: (w, { meter }) => w.u32(meter), decode: pullMeter },
    inActionSet: true,
  },
  clear_actions: {
    parse: { clear_actions: always({ kind: "clear_actions" }) },
    format: () => "clear_actions",
    encode: refuse,
    of10: { encode: nothing },
    instruction: { type: 5, encode: (w) => w.zeros(4), decode: always({ kind: "clear_actions" }) },
  },
  write_actions: {
    parse: { write_actions: (text, _, nested) => ({ kind: "write_actions", actions: nested(text) }) },
    format: ({ actions }, nested) => `write_actions(${nested(actions)})`,
    encode: refuse,
    of10: { encode: nothing },
    instruction: {
      type: 3,
      encode: (w, { actions }, nested) => (w.zeros(4), nested(w, actions)),
      decode: (r, nested) => (r.skip(4), { kind: "write_actions", actions: nested(r) }),
    },
  },
  write_metadata: {
    parse: { write_metadata: parseWriteMetadata },
    format: formatWriteMetadata,
    encode: (w, action) => nicira(w, 22, () => (w.zeros(6), putMetadata(w, action))),
    nicira: { 22: (r) => (r.zeros(6, "NXBRC_MUST_BE_ZERO"), pullMetadata(r)) },
    instruction: { type: 2, encode: (w, action) => (w.zeros(4), putMetadata(w, action)), decode: (r) => (r.skip(4), pullMetadata(r)) },
  },
  goto_table: {
    parse: number(["goto_table"], 8, (table) => ({ kind: "goto_table", table })),
    format: ({ table }) => `goto_table:${table}`,
    encode: refuse,
    of10: { encode: (w, { table }) => encodeResubmit(w, { kind: "resubmit", port: ports.inPort, table }) },
    instruction: { type: 1, encode: (w, { table }) => (w.u8(table), w.zeros(3)), decode: (r) => ({ kind: "goto_table", table: r.u8() }) },
  },
};
