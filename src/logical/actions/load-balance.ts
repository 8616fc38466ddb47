/** One of several: ct_lb_mark (backends of a load balancer), select (ECMP), fwd_group. */
import { type Action, field, findField, Match, ports, subfield } from "../../openflow/index.ts";
import type { Lexer } from "../lexer.ts";
import { ctMarkBits, logicalRegisters } from "../registers.ts";
import { type FieldReference, formatFieldReference, resolveField } from "../symbol.ts";
import type { Address, Backend, ForwardingGroup, LoadBalance, Select } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { parseBoolean } from "./address-text.ts";
import { addressToken, formatAddress, zoneField, zoneRegister } from "./conntrack.ts";
import { type EncodeContext, firstTable, type Group, resubmit, setBits } from "./encode-context.ts";

export function parseLoadBalance(parser: ActionParser, kind: LoadBalance["kind"]): LoadBalance {
  const { lexer } = parser;
  parser.refuseInLastTable("ct_lb_*");
  parser.requireText("ip");
  const backends: Backend[] = [];
  let hashFields: string | undefined;
  let flag: LoadBalance["flag"];
  if (lexer.match("(") && !lexer.match(")")) {
    if (!lexer.matchId("backends")) lexer.syntaxError("expecting backends");
    lexer.expect("=");
    while (!lexer.match(";") && !lexer.match(")")) {
      backends.push(parseBackend(parser, kind));
      lexer.match(",");
    }
    if (lexer.matchId("hash_fields")) {
      if (!lexer.match("=") || lexer.kind !== "string") lexer.syntaxError("invalid hash_fields");
      hashFields = lexer.name;
      lexer.advance();
      if (!lexer.match(";")) lexer.advance();
    }
    flag = lexer.matchId("skip_snat") ? "skip_snat" : lexer.matchId("force_snat") ? "force_snat" : undefined;
    if (flag !== undefined) lexer.advance();
  }
  return { kind, table: parser.nextTable, backends, hashFields, flag };
}

function parseBackend(parser: ActionParser, kind: LoadBalance["kind"]): Backend {
  const { lexer } = parser;
  let portName = "";
  if (kind === "ct_lb_mark_local") {
    portName = parser.string("expecting logical port name for distributed load balancer");
    lexer.expect(":");
  }
  if (lexer.match("[")) {
    const address = addressToken(lexer);
    if (address?.family !== 6) return lexer.syntaxError("expecting IPv6 address");
    lexer.advance();
    if (!lexer.match("]")) lexer.syntaxError("no closing square bracket");
    return { address, port: lexer.match(":") ? parser.uint16("port number") : 0, portName };
  }
  const address = addressToken(lexer);
  if (address === undefined) return lexer.syntaxError("expecting IP address");
  lexer.advance();
  if (!lexer.match(":")) return { address, port: 0, portName };
  if (address.family === 6) lexer.syntaxError("IPv6 address needs square brackets if port is included");
  return { address, port: parser.uint16("port number"), portName };
}

const withPort = (address: Address, port: number): string =>
  port === 0 ? formatAddress(address) : address.family === 4 ? `${formatAddress(address)}:${port}` : `[${formatAddress(address)}]:${port}`;

export function formatLoadBalance({ kind, backends, hashFields, flag }: LoadBalance): string {
  if (backends.length === 0) return `${kind};`;
  const list = backends.map(({ address, port, portName }) => `${kind === "ct_lb_mark_local" ? `"${portName}":` : ""}${withPort(address, port)}`).join(",");
  return `${kind}(backends=${list}${hashFields === undefined ? "" : `; hash_fields="${hashFields}"`}${flag === undefined ? "" : `; ${flag}`});`;
}

const flagMarks = { skip_snat: 1 << ctMarkBits.lbSkipSnat, force_snat: 1 << ctMarkBits.lbForceSnat } as const;

export function encodeLoadBalance({ kind, table, backends, hashFields, flag }: LoadBalance, context: EncodeContext): Action[] {
  const recirculate = table + firstTable(context.pipeline);
  const register = zoneRegister("dnat", context);
  // An established connection: it has its backend, and only needs translating.
  if (backends.length === 0) {
    return [{ kind: "ct", commit: false, force: false, zone: zoneField(register), table: recirculate, alg: 0, exec: [{ kind: "nat" }] }];
  }
  const live = backends.map((backend, id) => ({ backend, id })).filter(({ backend }) => kind === "ct_lb_mark" || context.isLocalPort(backend.portName));
  if (live.length === 0) return [];
  const marks = [1 << ctMarkBits.natted, ...(flag === undefined ? [] : [flagMarks[flag]])];
  const sets = marks.map((mark) => `set_field:${mark}/${mark}->ct_mark`).join(",");
  const registerNumber = register.replace("reg", "NXM_NX_REG");
  const buckets = live.map(({ backend, id }) =>
    `,bucket=bucket_id=${id},weight:100,actions=ct(nat(dst=${withPort(backend.address, backend.port)}),commit,table=${recirculate},zone=${registerNumber}[0..15],exec(${sets}))`);
  return groupAction(context, `${selectionText(hashFields)}${buckets.join("")}`, () => ({
    ...selection(hashFields, 0n),
    buckets: live.map(({ backend: { address, port }, id }) => bucket(id, 100, [{
      kind: "ct", commit: true, force: false, zone: zoneField(register), table: recirculate, alg: 0,
      exec: [
        { kind: "nat", direction: "dst", ipMin: address.ip, family: address.family, ...(port === 0 ? {} : { portMin: port }) },
        ...marks.map((mark): Action => ({ kind: "set_field", field: field("ct_mark"), value: mark, mask: mark })),
      ],
    }])),
  }));
}

const selectionText = (hashFields: string | undefined): string =>
  `type=select,selection_method=${hashFields === undefined ? "dp_hash" : `hash,fields(${hashFields})`}`;

function selection(hashFields: string | undefined, selectionParameter: bigint): Omit<Group, "buckets"> {
  let selectionFields = Match.any;
  for (const name of hashFields?.split(",") ?? []) {
    const f = findField(name.trim());
    if (f !== undefined) selectionFields = selectionFields.with(f, f.full);
  }
  return { type: "select", selectionMethod: hashFields === undefined ? "dp_hash" : "hash", selectionParameter, selectionFields };
}

const bucket = (id: number, weight: number, actions: readonly Action[], watchPort: number = ports.none): Group["buckets"][number] =>
  ({ id, weight, watchPort, watchGroup: 0xffffffff, actions });

function groupAction(context: EncodeContext, name: string, group: () => Group): Action[] {
  const id = context.groupId(name, group);
  return id === undefined ? [] : [{ kind: "group", group: id }];
}

/** `field = select(1=50, 2=50)`, up to and with the `=` read. */
export function parseSelect(parser: ActionParser, destination: FieldReference): Select {
  const { lexer } = parser;
  parser.checkField(destination, destination.bits, true);
  const { symbol, offset, bits } = destination;
  if (bits < 16) lexer.error(`cannot use ${bits}-bit field ${symbol.name}[${offset}..${offset + bits - 1}] for "select", which requires at least 16 bits.`);
  parser.refuseInLastTable("select");
  lexer.advance();
  lexer.advance();
  const withFields = lexer.matchId("values");
  if (withFields) {
    lexer.expect("=");
    lexer.expect("(");
  }
  const members: { id: number; weight: number }[] = [];
  while (!lexer.match(")")) {
    const id = parser.uint16("id");
    let weight = 100;
    if (lexer.match("=")) {
      weight = parser.uint16("weight");
      if (weight === 0) lexer.syntaxError("weight can't be 0");
    }
    lexer.match(",");
    members.push({ id, weight });
  }
  if (members.length <= 1) lexer.syntaxError("expecting at least 2 group members");
  return { kind: "select", table: parser.nextTable, members, destination, hashFields: withFields ? parseHashFields(lexer) : undefined };
}

function parseHashFields(lexer: Lexer): string {
  lexer.expect(";");
  if (!lexer.matchId("hash_fields")) lexer.syntaxError("expecting hash_fields");
  if (!lexer.match("=") || lexer.kind !== "string" || lexer.lookahead() !== ")") lexer.syntaxError("invalid hash_fields");
  const { name } = lexer;
  lexer.advance();
  lexer.expect(")");
  return name;
}

export function formatSelect({ members, destination, hashFields }: Select): string {
  const list = members.map(({ id, weight }) => `${id}=${weight}`).join(", ");
  return `${formatFieldReference(destination)} = select(${hashFields === undefined ? `${list})` : `values=(${list}); hash_fields="${hashFields}")`};`;
}

export function encodeSelect({ table, members, destination, hashFields }: Select, context: EncodeContext): Action[] {
  const next = table + firstTable(context.pipeline);
  const to = resolveField(destination);
  const symmetric = context.features.hashL4Symmetric && hashFields === undefined;
  const where = `${to.field.name}[${to.offset}..${to.offset + to.bits - 1}]`;
  const buckets = members.map(({ id, weight }, i) => `,bucket=bucket_id=${i},weight:${weight},actions=load:${id}->${where},resubmit(,${next})`);
  const parameter = symmetric ? 0x100000000n : 0n;
  return groupAction(context, `${selectionText(hashFields)}${symmetric ? ",selection_method_param=0x100000000" : ""}${buckets.join("")}`, () => ({
    ...selection(hashFields, parameter),
    buckets: members.map(({ id, weight }, i) => bucket(i, weight, [setBits(to, BigInt(id)), resubmit(next)])),
  }));
}

export function parseForwardingGroup(parser: ActionParser): ForwardingGroup {
  const { lexer } = parser;
  let liveness = false;
  const childPorts: string[] = [];
  if (lexer.match("(")) {
    if (lexer.matchId("liveness")) {
      lexer.expect("=");
      liveness = parseBoolean(lexer);
      lexer.expect(",");
    }
    if (lexer.matchId("childports")) {
      lexer.expect("=");
      while (!lexer.match(")")) {
        childPorts.push(parser.string("expecting logical switch port"));
        lexer.match(",");
      }
    }
  }
  return { kind: "fwd_group", table: parser.nextTable, liveness, childPorts };
}

export const formatForwardingGroup = ({ liveness, childPorts }: ForwardingGroup): string =>
  `fwd_group(${liveness ? 'liveness="true", ' : ""}${childPorts.length > 0 ? `childports=${childPorts.map((port) => `"${port}"`).join(", ")}` : ""});`;

export function encodeForwardingGroup({ liveness, childPorts }: ForwardingGroup, context: EncodeContext): Action[] {
  if (childPorts.length === 0) return [];
  const members: { key: number; watch: number | undefined }[] = [];
  for (const name of childPorts) {
    const key = context.lookupPort(name);
    const watch = liveness ? context.tunnelPort(name) : undefined;
    if (key === undefined || (liveness && watch === undefined)) return [];
    members.push({ key, watch });
  }
  const texts = members.map(({ key, watch }) =>
    `,bucket=${watch === undefined ? "" : `watch_port:${watch},`}load=0x${key}->NXM_NX_REG15[0..15],resubmit(,${context.outputTable})`);
  return groupAction(context, `${selectionText(undefined)}${texts.join("")}`, () => ({
    ...selection(undefined, 0n),
    buckets: members.map(({ key, watch }, i) => bucket(i, 1, [setBits(subfield(logicalRegisters.outport, 0, 16), BigInt(key)), resubmit(context.outputTable)], watch)),
  }));
}
