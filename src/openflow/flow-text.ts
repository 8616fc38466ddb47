/** Flows as ovs-ofctl prints and takes them (ovs-ofctl(8), "Flow Syntax"). */
import { formatActions, parseActions } from "./action/action-text.ts";
import { Match, MatchBuilder } from "./match/match.ts";
import { addShorthand, addTerm, defaultPriority, formatMatch } from "./match/match-text.ts";
import type { FlowFlags, FlowMod, FlowStats } from "./message/flow.ts";
import { noBuffer } from "./message/packet.ts";
import { formatPort, parsePort, ports } from "./message/port.ts";
import { parseSubfield } from "./match/subfield.ts";
import { Complaint, hex, isTextError, parseBounded, parseInteger, parseU64, splitKeyValues, type TextError } from "./text-input.ts";

const flagWords: readonly (readonly [keyof FlowFlags, string])[] = [
  ["sendFlowRemoved", "send_flow_rem"], ["checkOverlap", "check_overlap"], ["resetCounts", "reset_counts"], ["noPacketCounts", "no_packet_counts"],
  ["noByteCounts", "no_byte_counts"],
];
const formatFlags = (flags: FlowFlags): string => flagWords.map(([flag, word]) => (flags[flag] === true ? `${word} ` : "")).join("");

/** `12.345s`: whole seconds, milliseconds, or as many digits as it takes. */
export function formatDuration(ns: bigint): string {
  const [seconds, rest] = [ns / 1_000_000_000n, ns % 1_000_000_000n];
  if (rest === 0n) return `${seconds}s`;
  if (rest % 1_000_000n === 0n) return `${seconds}.${String(rest / 1_000_000n).padStart(3, "0")}s`;
  return `${seconds}.${String(rest).padStart(9, "0").replace(/0+$/, "")}s`;
}

/** One line of dump-flows, without the leading space. `stats` false: as `--no-stats` prints it. */
export function formatFlowStats(flow: FlowStats, stats = true): string {
  const durationSeconds = Number(flow.durationNs / 1_000_000_000n);
  const parts = [
    stats || flow.cookie !== 0n ? `cookie=0x${flow.cookie.toString(16)}, ` : "",
    stats ? `duration=${formatDuration(flow.durationNs)}, ` : "",
    stats || flow.table !== 0 ? `table=${flow.table}, ` : "",
    stats ? `n_packets=${flow.packets}, n_bytes=${flow.bytes}, ` : "",
    flow.idleTimeout === 0 ? "" : `idle_timeout=${flow.idleTimeout}, `,
    flow.hardTimeout === 0 ? "" : `hard_timeout=${flow.hardTimeout}, `,
    formatFlags(flow.flags),
    flow.importance === 0 ? "" : `importance=${flow.importance}, `,
    stats && flow.idleAge !== undefined ? `idle_age=${flow.idleAge}, ` : "",
    stats && flow.hardAge !== undefined && flow.hardAge !== durationSeconds ? `hard_age=${flow.hardAge}, ` : "",
  ];
  const match = formatMatch(flow.match, flow.priority);
  return `${parts.join("")}${match}${match === "" ? "" : " "}actions=${formatActions(flow.actions)}`;
}

const commandWords = { add: "ADD", modify: "MOD", modify_strict: "MOD_STRICT", delete: "DEL", delete_strict: "DEL_STRICT" } as const;

/** What ovs-ofctl's ofp-print says of a flow_mod after its header. */
export function formatFlowMod(m: FlowMod): string {
  const match = formatMatch(m.match, m.priority);
  const isModify = m.command === "modify" || m.command === "modify_strict";
  const parts = [
    commandWords[m.command], m.table === 0 ? " " : ` table:${m.table} `, match, match === "" ? "" : " ",
    m.cookie !== 0n && m.cookie !== 0xffffffffffffffffn && (m.cookieMask === 0n || !isModify) && m.cookieMask === 0n ? `cookie:${hex(m.cookie)} ` : "",
    m.cookieMask === 0n ? "" : `cookie:0x${m.cookie.toString(16)}/${hex(m.cookieMask)} `,
    m.idleTimeout === 0 ? "" : `idle:${m.idleTimeout} `,
    m.hardTimeout === 0 ? "" : `hard:${m.hardTimeout} `,
    m.importance === 0 ? "" : `importance:${m.importance} `,
    m.bufferId === noBuffer ? "" : `buf:${hex(m.bufferId)} `,
    m.outPort === ports.none ? "" : `out_port:${formatPort(m.outPort)} `,
    formatFlags(m.flags), `actions=${formatActions(m.actions)}`,
  ];
  return parts.join("");
}

/** What a line may hold depends on what it is for; "filter" is a delete's or a dump's. */
const isFilter = (command: FlowMod["command"]): boolean => command === "delete" || command === "delete_strict";

/** A flow's text, as `add-flow` (command "add"), `mod-flows`, `del-flows` and `dump-flows` ("delete") take it. */
export function parseFlow(text: string, command: FlowMod["command"] = "add"): FlowMod | TextError {
  const complaint = new Complaint();
  const at = isFilter(command) ? -1 : /(^|[\s,])actions?\s*=/.exec(text)?.index ?? -1;
  if (!isFilter(command) && at < 0) return { error: "must specify an action" };
  const head = at < 0 ? text : text.slice(0, at);
  const builder = new MatchBuilder();
  let flow: FlowMod = {
    kind: "flow_mod", command, table: command === "add" ? 0 : 0xff, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0,
    priority: defaultPriority, bufferId: noBuffer, outPort: ports.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions: [],
  };
  for (const { key, value } of splitKeyValues(head)) {
    const flag = isFilter(command) ? undefined : flagWords.find(([, word]) => word === key);
    if (flag !== undefined) flow = { ...flow, flags: { ...flow.flags, [flag[0]]: true } };
    else if (value === "" && addShorthand(key, builder)) continue;
    else if (key === "no_readonly_table" || key === "allow_hidden_fields") continue;
    else if (key.includes("[")) addSubfieldTerm(key, value, builder, complaint);
    else if (!addTerm(key, value, builder, complaint)) flow = { ...flow, ...parseOther(key, value, command, complaint) };
    if (complaint.text !== undefined) return { error: complaint.text };
  }
  if (at >= 0) {
    const actions = parseActions(text.slice(at).replace(/^[\s,]*actions?\s*=/, ""));
    if (isTextError(actions)) return actions;
    flow = { ...flow, actions };
  }
  return { ...flow, match: builder.build() };
}

/** `NXM_NX_REG0[0..3]=5`. */
function addSubfieldTerm(key: string, value: string, builder: MatchBuilder, complaint: Complaint): void {
  const s = parseSubfield(key, complaint);
  const number = parseInteger(value);
  if (s === undefined) return;
  if (number === undefined || number < 0n || number >> BigInt(s.bits) !== 0n) return complaint.say(`${value}: value does not fit into ${s.bits} bits`);
  const [v, m] = [number << BigInt(s.offset), ((1n << BigInt(s.bits)) - 1n) << BigInt(s.offset)];
  builder.add(s.field, s.field.isWide ? v : Number(v), s.field.isWide ? m : Number(m));
}

function parseOther(key: string, value: string, command: FlowMod["command"], complaint: Complaint): Partial<FlowMod> | undefined {
  if (value === "") return complaint.say(`field ${key} missing value`);
  const bounded = (bits: number): number => parseBounded(value, bits, key, complaint) ?? 0;
  switch (key) {
    case "table":
      return { table: bounded(8) };
    case "priority":
      return command === "delete" ? complaint.say(`unknown keyword ${key}`) : { priority: bounded(16) };
    case "idle_timeout":
      return isFilter(command) ? complaint.say(`unknown keyword ${key}`) : { idleTimeout: bounded(16) };
    case "hard_timeout":
      return isFilter(command) ? complaint.say(`unknown keyword ${key}`) : { hardTimeout: bounded(16) };
    case "importance":
      return command === "add" ? { importance: bounded(16) } : complaint.say(`unknown keyword ${key}`);
    case "out_port":
      return isFilter(command) ? { outPort: parsePort(value) ?? complaint.say(`${value} is not a valid OpenFlow port`) ?? 0 } : complaint.say(`unknown keyword ${key}`);
    case "out_group":
      return isFilter(command) ? { outGroup: bounded(32) } : complaint.say(`unknown keyword ${key}`);
    case "cookie":
      return parseCookie(value, command, complaint);
    case "duration":
    case "n_packets":
    case "n_bytes":
    case "idle_age":
    case "hard_age":
      return {};
    default:
      return complaint.say(`unknown keyword ${key}`);
  }
}

function parseCookie(value: string, command: FlowMod["command"], complaint: Complaint): Partial<FlowMod> | undefined {
  const [head = "", tail] = value.split("/");
  const [cookie, cookieMask] = [parseU64(head), tail === undefined ? 0n : parseU64(tail)];
  if (cookie === undefined || cookieMask === undefined) return complaint.say(`invalid cookie "${value}"`);
  if (tail !== undefined && command === "add") return complaint.say("flow additions cannot use a cookie mask");
  if (tail === undefined && isFilter(command)) return complaint.say(`cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=${value}/-1)`);
  return { cookie, cookieMask };
}
