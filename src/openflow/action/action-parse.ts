/** Actions as ovs-ofctl takes them (ovs-actions(7)). */
import { parseIpv4, parseIpv6, parseMac } from "../../net/index.ts";
import {
  type Action, bundleAlgorithms, type Controller, hashFields, type HashFields, multipathAlgorithms, type Nat, type PacketInReason,
  packetInReasons, type Sample,
} from "./action.ts";
import { type FieldValue, findField } from "../match/field.ts";
import { parseEncap } from "./encap-parse.ts";
import { parseLearn } from "./learn-parse.ts";
import { exactMask } from "../match/match.ts";
import { parsePort, ports } from "../message/port.ts";
import { parseSubfield, type Subfield } from "../match/subfield.ts";
import { Complaint, parseBounded, parseInteger, parseU64, splitKeyValues, type TextError } from "../text-input.ts";
import { parseMasked } from "../match/value-text.ts";

const maxDepth = 100;

/** Actions and instructions after commas; `drop` for none. */
export function parseActions(text: string): Action[] | TextError {
  const complaint = new Complaint();
  const actions = parseList(text, complaint, 0);
  return complaint.text === undefined ? actions : { error: complaint.text };
}

function parseList(text: string, complaint: Complaint, depth: number): Action[] {
  const actions: Action[] = [];
  let isDrop = false;
  if (depth > maxDepth) complaint.say("Action nested too deeply");
  for (const { key, value } of complaint.text === undefined ? splitKeyValues(text) : []) {
    if (key.toLowerCase() === "drop") isDrop = true;
    else {
      const action = parseAction(key.toLowerCase(), key, value, complaint, depth);
      if (action !== undefined) actions.push(action);
    }
    if (complaint.text !== undefined) break;
  }
  if (isDrop && actions.length > 0) complaint.say('"drop" must not be accompanied by any other action or instruction');
  checkOrder(actions, complaint);
  return actions;
}

/** Instructions stand in the order that switches carry them out. */
function checkOrder(actions: readonly Action[], complaint: Complaint): void {
  const ranks = ["apply_actions", "clear_actions", "write_actions", "write_metadata", "goto_table"];
  let last = 0;
  for (const [i, { kind }] of actions.entries()) {
    const rank = Math.max(0, ranks.indexOf(kind));
    if (i > 0 && rank === last && rank > 0) complaint.say(`duplicate ${kind} instruction not allowed, for OpenFlow 1.1+ compatibility`);
    if (rank < last) complaint.say(`invalid instruction ordering: ${ranks[rank]} must appear before ${ranks[last]}, for OpenFlow 1.1+ compatibility`);
    last = rank;
  }
  if (!actions.some((a) => a.kind === "conjunction")) return;
  const other = actions.find((a) => a.kind !== "conjunction" && a.kind !== "note");
  if (other !== undefined) complaint.say(`"conjunction" actions may be used along with "note" but not any other kind of action (such as the "${other.kind}" action used here)`);
}

function parseAction(key: string, shown: string, value: string, complaint: Complaint, depth: number): Action | undefined {
  switch (key) {
    case "output":
      return parseOutput(value, complaint);
    case "controller":
      return parseController(value, complaint);
    case "enqueue": {
      const match = /^([^:q,]+)[:q,]+(.+)$/.exec(value);
      const [port, queue] = [parsePort(match?.[1] ?? ""), parseBounded(match?.[2] ?? "", 32, "queue", complaint)];
      if (port === undefined) return complaint.say('"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"');
      return queue === undefined ? undefined : { kind: "enqueue", port, queue };
    }
    case "bundle":
    case "bundle_load":
      return parseBundle(key === "bundle_load", value, complaint);
    case "resubmit":
      return parseResubmit(value, complaint);
    case "learn":
      return parseLearn(value, complaint);
    case "ct":
      return parseCt(value, complaint, depth);
    case "nat":
      return parseNat(value, complaint);
    case "clone":
    case "write_actions":
      return { kind: key, actions: parseList(value, complaint, depth + 1) };
    case "conjunction":
      return parseConjunction(value, complaint);
    case "multipath":
      return parseMultipath(value, complaint);
    case "note":
      return parseHex(value, (data) => ({ kind: "note", data }), "bad hex digit in `note' argument", complaint);
    case "sample":
      return parseSample(value, complaint);
    case "check_pkt_larger": {
      const match = /^(.*?)\)?->(.+)$/.exec(value);
      const size = parseBounded(match?.[1] ?? "", 16, "size", complaint);
      const to = parseSubfield(match?.[2] ?? "", complaint);
      if (to !== undefined && to.bits !== 1) return complaint.say("Only 1-bit destination field is allowed");
      return size === undefined || to === undefined ? undefined : { kind: "check_pkt_larger", size, to };
    }
    case "encap":
    case "decap":
      return parseEncap(key, value, complaint);
    case "exit":
    case "ct_clear":
    case "clear_actions":
    case "pop_queue":
    case "dec_mpls_ttl":
    case "dec_nsh_ttl":
      return { kind: key };
    default:
      return parseChange(key, shown, value, complaint);
  }
}

function parseChange(key: string, shown: string, value: string, complaint: Complaint): Action | undefined {
  const number = <A extends Action>(bits: number, make: (n: number) => A): A | undefined => {
    const n = parseBounded(value, bits, key, complaint);
    return n === undefined ? undefined : make(n);
  };
  switch (key) {
    case "set_field":
      return parseSetField(value, complaint);
    case "load":
      return parseLoad(value, complaint);
    case "move": {
      const [from, to] = splitArrow(value, complaint).map((part) => parseSubfield(part, complaint));
      if (from === undefined || to === undefined) return undefined;
      if (from.bits !== to.bits) return complaint.say(`${value}: source field is ${from.bits} bits wide but destination is ${to.bits} bits wide`);
      return { kind: "move", from, to };
    }
    case "push":
    case "pop": {
      const s = parseSubfield(value, complaint);
      return s && (key === "push" ? { kind: "push", from: s } : { kind: "pop", to: s });
    }
    case "push_vlan":
    case "push_mpls":
    case "pop_mpls":
      return number(16, (ethType) => ({ kind: key, ethType }));
    case "strip_vlan":
    case "pop_vlan":
      return { kind: "pop_vlan" };
    case "set_vlan_vid":
    case "mod_vlan_vid":
      return number(12, (vid) => ({ kind: "set_vlan_vid", vid }));
    case "set_vlan_pcp":
    case "mod_vlan_pcp":
      return number(3, (pcp) => ({ kind: "set_vlan_pcp", pcp }));
    case "mod_dl_src":
    case "mod_dl_dst": {
      const mac = parseMac(value);
      return mac === undefined ? complaint.say(`${value}: invalid Ethernet address`) : { kind: key, mac };
    }
    case "mod_nw_src":
    case "mod_nw_dst": {
      const ip = parseIpv4(value);
      return ip === undefined ? complaint.say(`${value}: invalid IP address`) : { kind: key, ip };
    }
    case "mod_nw_tos":
      return number(8, (tos) => ({ kind: key, tos }));
    case "mod_nw_ecn":
      return number(2, (ecn) => ({ kind: key, ecn }));
    case "mod_nw_ttl":
    case "set_nw_ttl":
      return number(8, (ttl) => ({ kind: "mod_nw_ttl", ttl }));
    case "mod_tp_src":
    case "mod_tp_dst":
      return number(16, (port) => ({ kind: key, port }));
    case "dec_ttl":
      return { kind: "dec_ttl", controllers: value === "" ? [0] : value.split(/[, ]+/).filter((id) => id !== "").map((id) => Number.parseInt(id, 10) & 0xffff) };
    case "set_mpls_label":
      return number(20, (label) => ({ kind: key, label }));
    case "set_mpls_tc":
      return number(3, (tc) => ({ kind: key, tc }));
    case "set_mpls_ttl":
      return number(8, (ttl) => ({ kind: key, ttl }));
    case "group":
      return number(32, (group) => ({ kind: key, group }));
    case "meter":
      return number(32, (meter) => ({ kind: key, meter }));
    case "set_queue":
      return number(32, (queue) => ({ kind: key, queue }));
    case "goto_table":
      return number(8, (table) => ({ kind: key, table }));
    default:
      return parseRest(key, shown, value, complaint);
  }
}

function parseRest(key: string, shown: string, value: string, complaint: Complaint): Action | undefined {
  switch (key) {
    case "set_tunnel":
    case "set_tunnel64": {
      const id = parseU64(value);
      if (id === undefined) return complaint.say(`invalid tunnel id "${value}"`);
      return key === "set_tunnel64" ? { kind: "set_tunnel", id, wide: true } : { kind: "set_tunnel", id };
    }
    case "delete_field": {
      const f = findField(value);
      return f === undefined ? complaint.say(`${value} is not a valid OXM field name.`) : { kind: "delete_field", field: f };
    }
    case "write_metadata": {
      const [head = "", tail] = value.split("/");
      const [metadata, mask] = [parseU64(head), tail === undefined ? 0xffffffffffffffffn : parseU64(tail)];
      return metadata === undefined || mask === undefined ? complaint.say(`invalid metadata "${value}"`) : { kind: "write_metadata", value: metadata, mask };
    }
    case "fin_timeout": {
      let [idleTimeout, hardTimeout] = [0, 0];
      for (const pair of splitKeyValues(value)) {
        const seconds = parseBounded(pair.value, 16, pair.key, complaint) ?? 0;
        if (pair.key === "idle_timeout") idleTimeout = seconds;
        else if (pair.key === "hard_timeout") hardTimeout = seconds;
        else return complaint.say(`invalid key '${pair.key}' in 'fin_timeout' argument`);
      }
      return { kind: "fin_timeout", idleTimeout, hardTimeout };
    }
    case "apply_actions":
      return complaint.say("apply_actions is the default instruction");
    default: {
      const port = parsePort(shown);
      return port === undefined ? complaint.say(`unknown action ${shown}`) : { kind: "output", port };
    }
  }
}

function parseOutput(value: string, complaint: Complaint): Action | undefined {
  if (value.includes("port") && value.includes("max_len")) {
    const pairs = new Map(splitKeyValues(value).map((p) => [p.key, p.value]));
    const [port, maxLength] = [parsePort(pairs.get("port") ?? ""), parseBounded(pairs.get("max_len") ?? "", 32, "max_len", complaint)];
    if (port === undefined) return complaint.say(`output to unknown truncate port: ${pairs.get("port")}`);
    if (maxLength === undefined) return undefined;
    if (maxLength < 14) return complaint.say(`max_len ${maxLength} is less than the minimum value 14`);
    return { kind: "output_trunc", port, maxLength };
  }
  const port = parsePort(value);
  if (port !== undefined) return port === ports.controller ? { kind: "output", port, maxLength: 0xffff } : { kind: "output", port };
  const from = parseSubfield(value, new Complaint());
  return from === undefined ? complaint.say(`${value}: output to unknown port`) : { kind: "output_reg", from, maxLength: 0xffff };
}

function parseController(value: string, complaint: Complaint): Action | undefined {
  if (/^\d+$/.test(value)) {
    const maxLength = parseBounded(value, 16, "max_len", complaint);
    return maxLength === undefined ? undefined : { kind: "output", port: ports.controller, maxLength };
  }
  let action: Controller = { kind: "controller", maxLength: 0xffff, controllerId: 0, reason: "action" };
  for (const { key, value: v } of splitKeyValues(value)) {
    if (key === "reason") {
      const reason: PacketInReason | undefined = packetInReasons.find((r) => r === v);
      if (reason === undefined) return complaint.say(`unknown reason "${v}"`);
      action = { ...action, reason };
    } else if (key === "max_len") action = { ...action, maxLength: parseBounded(v, 16, "max_len", complaint) ?? 0 };
    else if (key === "id") action = { ...action, controllerId: parseBounded(v, 16, "id", complaint) ?? 0 };
    else if (key === "pause") action = { ...action, pause: true };
    else if (key === "meter_id") action = { ...action, meterId: parseBounded(v, 32, "meter_id", complaint) ?? 0 };
    else if (key === "userdata") {
      const userdata = parseHexBytes(v);
      if (userdata === undefined) return complaint.say("bad hex digit in `controller' action `userdata'");
      action = { ...action, userdata };
    } else return complaint.say(`unknown key "${key}" parsing controller action`);
  }
  const isPlain = action.reason === "action" && action.controllerId === 0 && action.userdata === undefined && action.pause !== true && (action.meterId ?? 0) === 0;
  return isPlain ? { kind: "output", port: ports.controller, maxLength: action.maxLength } : action;
}

/** Pairs of digits with dots or white space between them where one likes. */
function parseHexBytes(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[. \t]/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function parseHex(text: string, make: (data: Uint8Array) => Action, message: string, complaint: Complaint): Action | undefined {
  const data = parseHexBytes(text);
  return data === undefined ? complaint.say(message) : make(data);
}

function splitArrow(text: string, complaint: Complaint): [string, string] {
  const at = text.indexOf("->");
  if (at < 0) complaint.say(`${text}: missing \`->'`);
  else if (at + 2 >= text.length) complaint.say(`${text}: missing field name following \`->'`);
  return [text.slice(0, Math.max(0, at)), text.slice(at + 2)];
}

function parseSetField(text: string, complaint: Complaint): Action | undefined {
  const [value, name] = splitArrow(text, complaint);
  if (complaint.text !== undefined) return undefined;
  const f = findField(name);
  if (f === undefined) return complaint.say(`${name} is not a valid OXM field name`);
  if (!f.writable) return complaint.say(`${name} is read-only`);
  const parsed = parseMasked(f, value, complaint);
  if (parsed === undefined) return undefined;
  if (!f.isVariable && BigInt(parsed.value) > BigInt(exactMask(f))) return complaint.say(`${value} is not a valid value for field ${name}`);
  return { kind: "set_field", field: f, ...parsed };
}

function parseLoad(text: string, complaint: Complaint): Action | undefined {
  const [value, name] = splitArrow(text, complaint);
  const to = parseSubfield(name, complaint);
  if (to === undefined) return undefined;
  const number = parseInteger(value);
  if (number === undefined) return complaint.say(`${text}: cannot parse integer value`);
  if (number < 0n || number >> BigInt(to.bits) !== 0n) return complaint.say(`${text}: value ${value} does not fit into ${to.bits} bits`);
  const f = to.field;
  if (!f.writable) return complaint.say(`${name} is read-only`);
  const fit = (n: bigint): FieldValue => (f.isWide ? n : Number(n));
  const mask = ((1n << BigInt(to.bits)) - 1n) << BigInt(to.offset);
  return { kind: "set_field", field: f, value: fit(number << BigInt(to.offset)), mask: fit(mask), asLoad: true };
}

function parseResubmit(value: string, complaint: Complaint): Action | undefined {
  const [portText = "", tableText = "", ct = ""] = value.split(",");
  const port = portText === "" ? ports.inPort : parsePort(portText);
  if (port === undefined) return complaint.say(`${portText}: resubmit to unknown port`);
  const table = tableText === "" ? 255 : parseBounded(tableText, 8, "table", new Complaint());
  if (table === undefined) return complaint.say(`${tableText}: resubmit to unknown table`);
  if (ct !== "" && ct !== "ct") return complaint.say(`${ct}: unknown parameter`);
  if (port === ports.inPort && table === 255) return complaint.say('at least one "in_port" or "table" must be specified on resubmit');
  return ct === "ct" ? { kind: "resubmit", port, table, ct: true } : { kind: "resubmit", port, table };
}

function parseCt(text: string, complaint: Complaint, depth: number): Action | undefined {
  let [commit, force, alg] = [false, false, 0];
  let table: number | undefined;
  let zone: Extract<Action, { kind: "ct" }>["zone"] = { kind: "immediate", zone: 0 };
  const exec: Action[] = [];
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "commit") commit = true;
    else if (key === "force") force = true;
    else if (key === "table") {
      table = parseBounded(value, 8, "table", complaint);
      if (table === 255) return complaint.say("invalid table 0xff");
    } else if (key === "zone") {
      const number = parseBounded(value, 16, "zone", new Complaint());
      const from = number === undefined ? parseSubfield(value, complaint) : undefined;
      zone = from === undefined ? { kind: "immediate", zone: number ?? 0 } : { kind: "field", from };
    } else if (key === "alg") {
      alg = value === "ftp" ? 21 : value === "tftp" ? 69 : 0;
      if (alg === 0) return complaint.say(`invalid conntrack helper "${value}"`);
    } else if (key === "nat") {
      const nat = parseNat(value, complaint);
      if (nat !== undefined) exec.push(nat);
    } else if (key === "exec") exec.push(...parseList(value, complaint, depth + 1));
    else return complaint.say(`invalid argument to "ct" action: \`${key}'`);
  }
  if (force && !commit) return complaint.say('"force" flag requires "commit" flag.');
  return { kind: "ct", commit, force, zone, alg, exec, ...(table !== undefined && { table }) };
}

function parseNat(text: string, complaint: Complaint): Nat | undefined {
  let nat: Nat = { kind: "nat" };
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "src" || key === "dst") {
      if (nat.direction !== undefined) return complaint.say('May only specify one of "src" or "dst".');
      const range = value === "" ? {} : parseNatRange(value, complaint);
      nat = { ...nat, direction: key, ...range };
    } else if (key === "persistent" || key === "hash" || key === "random") nat = { ...nat, [key]: true };
    else return complaint.say(`invalid key "${key}" in "nat" argument`);
  }
  if (nat.direction === undefined && (nat.persistent || nat.hash || nat.random)) return complaint.say('Flags allowed only with "src" or "dst".');
  if (nat.hash && nat.random) return complaint.say('Both "hash" and "random" are not allowed.');
  return nat;
}

function parseNatRange(text: string, complaint: Complaint): Partial<Nat> | undefined {
  const v4 = /^(\d+\.\d+\.\d+\.\d+)(?:-(\d+\.\d+\.\d+\.\d+))?(?::(\d+)(?:-(\d+))?)?$/.exec(text);
  const v6 = /^\[?([0-9a-fA-F:.]+?)\]?(?:-\[?([0-9a-fA-F:.]+?)\]?)?(?:(?<=\]):(\d+)(?:-(\d+))?)?$/.exec(text);
  const [, min = "", max, portMin, portMax] = v4 ?? v6 ?? [];
  const parse = v4 !== null ? parseIpv4 : parseIpv6;
  const [ipMin, ipMax] = [parse(min), max === undefined ? undefined : parse(max)];
  const isBackwards = (ipMin !== undefined && ipMax !== undefined && ipMax < ipMin) || (portMax !== undefined && Number(portMax) < Number(portMin));
  if (ipMin === undefined || (max !== undefined && ipMax === undefined) || isBackwards) return complaint.say(`invalid nat range "${text}"`);
  return {
    family: v4 !== null ? 4 : 6, ipMin, ...(ipMax !== undefined && { ipMax }), ...(portMin !== undefined && { portMin: Number(portMin) }),
    ...(portMax !== undefined && { portMax: Number(portMax) }),
  };
}

function parseConjunction(text: string, complaint: Complaint): Action | undefined {
  const match = /^\s*(\w+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
  const [id, clause, clauses] = [parseInteger(match?.[1] ?? ""), Number(match?.[2]), Number(match?.[3])];
  if (id === undefined) return complaint.say('"conjunction" syntax is "conjunction(id,i/n)"');
  if (clauses < 2) return complaint.say("conjunction must have at least 2 clauses");
  if (clauses > 64) return complaint.say("conjunction must have at most 64 clauses");
  if (clause < 1) return complaint.say("clause index must be positive");
  if (clause > clauses) return complaint.say("clause index must be less than or equal to number of clauses");
  return { kind: "conjunction", id: Number(BigInt.asUintN(32, id)), clause: clause - 1, clauses };
}

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

function parseBundle(isLoad: boolean, text: string, complaint: Complaint): Action | undefined {
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

function parseSample(text: string, complaint: Complaint): Action | undefined {
  let sample: Sample = { kind: "sample", probability: 0, collectorSet: 0, domain: 0, point: 0, samplingPort: ports.none };
  const source = (value: string, what: string): number | Subfield => {
    const number = parseBounded(value, 32, what, new Complaint());
    const s = number === undefined ? parseSubfield(value, complaint) : undefined;
    if (s !== undefined && s.bits > 32) complaint.say(`size of ${what} field (${s.bits}) exceeds maximum (32)`);
    return number ?? s ?? 0;
  };
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "probability") sample = { ...sample, probability: parseBounded(value, 16, key, complaint) ?? 0 };
    else if (key === "collector_set_id") sample = { ...sample, collectorSet: parseBounded(value, 32, key, complaint) ?? 0 };
    else if (key === "obs_domain_id") sample = { ...sample, domain: source(value, key) };
    else if (key === "obs_point_id") sample = { ...sample, point: source(value, key) };
    else if (key === "sampling_port") sample = { ...sample, samplingPort: parsePort(value) ?? complaint.say(`${value}: unknown port`) ?? 0 };
    else if (key === "ingress" || key === "egress") sample = { ...sample, direction: key };
    else return complaint.say(`invalid key "${key}" in "sample" argument`);
  }
  return sample.probability === 0 ? complaint.say('non-zero "probability" must be specified on sample') : sample;
}
