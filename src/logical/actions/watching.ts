/** What watches or shapes traffic: log, set_meter, set_queue, sample, mirror, check_pkt_larger, bind_vport, handle_svc_check. */
import { type Action, ports } from "../../openflow/index.ts";
import type { Lexer } from "../lexer.ts";
import { openflowTables } from "../openflow-tables.ts";
import { logicalRegisters } from "../registers.ts";
import { type FieldReference, formatFieldReference as name, resolveField } from "../symbol.ts";
import type { Log, LogicalActionOf, Sample } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { Bytes, controllerOp } from "./controller-op.ts";
import { cookieOf, type EncodeContext, resubmit, setBits, wholeField, withArguments } from "./encode-context.ts";

/** By number in the userdata. */
export const logVerdicts = ["allow", "drop", "reject", "pass"] as const;
/** RFC 5424 levels. */
export const logSeverities = { alert: 1, warning: 4, notice: 5, info: 6, debug: 7 } as const;
const severityNames = ["alert", "warning", "notice", "info", "debug"] as const;

export function parseLog(parser: ActionParser): Log {
  const { lexer } = parser;
  let text: string | undefined;
  let meter: string | undefined;
  let verdict: Log["verdict"] | undefined;
  let severity: Log["severity"] = "info";
  if (lexer.match("(")) {
    while (!lexer.match(")")) {
      if (lexer.matchId("verdict")) {
        lexer.expect("=");
        verdict = oneOf(lexer, logVerdicts) ?? lexer.syntaxError("unknown verdict");
      } else if (lexer.matchId("name")) {
        lexer.expect("=");
        text = parseLogName(parser);
      } else if (lexer.matchId("severity")) {
        lexer.expect("=");
        if (lexer.kind !== "id") lexer.syntaxError("expecting severity");
        severity = oneOf(lexer, severityNames) ?? lexer.syntaxError("unknown severity");
      } else if (lexer.matchId("meter")) {
        lexer.expect("=");
        meter = parser.string("expecting string");
      } else lexer.syntaxError();
      lexer.match(",");
    }
  }
  if (verdict === undefined) return lexer.syntaxError("expecting verdict");
  return { kind: "log", name: text, verdict, severity, meter };
}

function oneOf<const T extends readonly string[]>(lexer: Lexer, names: T): T[number] | undefined {
  for (const candidate of names) if (lexer.matchId(candidate)) return candidate;
  return undefined;
}

/** Names travel in the datapath's actions, and so are short. */
function parseLogName(parser: ActionParser): string {
  const { lexer } = parser;
  if (lexer.kind === "string" && new TextEncoder().encode(lexer.name).length >= 64) lexer.syntaxError("name must be shorter than 64 characters");
  return parser.string("expecting string");
}

export const formatLog = ({ name: text, verdict, severity, meter }: Log): string =>
  `log(${text === undefined ? "" : `name="${text}", `}verdict=${verdict}, severity=${severity}${meter === undefined ? "" : `, meter="${meter}"`});`;

export function encodeLog({ name: text = "", verdict, severity, meter }: Log, context: EncodeContext): Action[] {
  const id = meter === undefined ? "none" : context.meterId(meter);
  if (id === undefined) return [];
  const data = new Bytes().uint(logVerdicts.indexOf(verdict), 1).uint(logSeverities[severity], 1).text(text).take();
  return [controllerOp("log", context, data, { meter: id })];
}

export function parseSetMeter({ lexer }: ActionParser): LogicalActionOf<"set_meter"> {
  const number = (): bigint => {
    const value = lexer.kind === "integer" && lexer.format === "decimal" ? lexer.value : 0n;
    lexer.advance();
    return value;
  };
  lexer.expect("(");
  const rate = number();
  const burst = lexer.match(",") ? number() : 0n;
  lexer.expect(")");
  if (rate === 0n) lexer.error("Rate 0 for set_meter is not in valid.");
  return { kind: "set_meter", rate, burst };
}

export const formatSetMeter = ({ rate, burst }: LogicalActionOf<"set_meter">): string =>
  `set_meter(${rate}${burst > 0n ? `, ${burst}` : ""});`;

export function encodeSetMeter({ rate, burst }: LogicalActionOf<"set_meter">, context: EncodeContext): Action[] {
  const text = burst > 0n
    ? `__string: uuid ${context.flowUuid} kbps burst stats bands=type=drop rate=${rate} burst_size=${burst}`
    : `__string: uuid ${context.flowUuid} kbps stats bands=type=drop rate=${rate}`;
  const meter = context.meterId(text);
  return meter === undefined ? [] : [{ kind: "meter", meter }];
}

const maxQueue = 0xf000;

export function parseSetQueue(parser: ActionParser): LogicalActionOf<"set_queue"> | undefined {
  const { lexer } = parser;
  lexer.expect("(");
  const queue = parser.smallInteger();
  if (queue === undefined) return undefined;
  lexer.expect(")");
  if (queue > maxQueue) lexer.error(`Queue ID ${queue} for set_queue is not in valid range 0 to ${maxQueue}.`);
  return { kind: "set_queue", queue };
}

export function parseCheckPacketLarger(parser: ActionParser, destination: FieldReference): LogicalActionOf<"check_pkt_larger"> | undefined {
  const { lexer } = parser;
  parser.checkField(destination, 1, true);
  lexer.advance();
  lexer.expect("(");
  const size = parser.smallInteger();
  if (size === undefined) return undefined;
  lexer.expect(")");
  return { kind: "check_pkt_larger", destination, size: size & 0xffff };
}

export const formatCheckPacketLarger = ({ destination, size }: LogicalActionOf<"check_pkt_larger">): string =>
  `${name(destination)} = check_pkt_larger(${size});`;

export function parseBindVport(parser: ActionParser): LogicalActionOf<"bind_vport"> {
  const { lexer } = parser;
  lexer.expect("(");
  const vport = parser.string("expecting port name string");
  lexer.expect(",");
  const parent = parser.typedField(0);
  lexer.expect(")");
  return { kind: "bind_vport", vport, parent };
}

export function encodeBindVport({ vport, parent }: LogicalActionOf<"bind_vport">, context: EncodeContext): Action[] {
  const key = context.lookupPort(vport);
  if (key === undefined) return [];
  return withArguments([[parent, logicalRegisters.inport]], [controllerOp("bind_vport", context, new Bytes().uint(key, 4).take())]);
}

export function parseServiceCheck(parser: ActionParser): LogicalActionOf<"handle_svc_check"> {
  parser.lexer.expect("(");
  const port = parser.typedField(0);
  parser.lexer.expect(")");
  return { kind: "handle_svc_check", port };
}

export const encodeServiceCheck = ({ port }: LogicalActionOf<"handle_svc_check">, context: EncodeContext): Action[] =>
  withArguments([[port, logicalRegisters.inport]], [controllerOp("handle_svc_check", context)]);

export function parseMirror(parser: ActionParser): LogicalActionOf<"mirror"> {
  parser.lexer.expect("(");
  const port = parser.string("expecting port name string");
  parser.lexer.expect(")");
  return { kind: "mirror", port };
}

export function encodeMirror({ port }: LogicalActionOf<"mirror">, { lookupPort }: EncodeContext): Action[] {
  const key = lookupPort(port);
  if (key === undefined) return [];
  // Without its input port the copy may leave by the port that the packet came in by.
  const actions = [setBits(wholeField("in_port"), BigInt(ports.none)), setBits(wholeField(logicalRegisters.outport), BigInt(key)), resubmit(openflowTables.remoteOutput)];
  return [{ kind: "clone", actions }];
}

export function parseSample(parser: ActionParser): Sample {
  const { lexer } = parser;
  let probability = 0;
  let collectorSet = 0;
  let domain = 0;
  let point: Sample["point"] = { kind: "number", value: 0 };
  const isDecimal = (): boolean => lexer.kind === "integer" && lexer.format === "decimal";
  if (lexer.match("(")) {
    while (!lexer.match(")")) {
      if (lexer.matchId("probability")) {
        lexer.expect("=");
        if (isDecimal()) probability = parser.uint16("probability");
      } else if (lexer.matchId("obs_point")) {
        lexer.expect("=");
        point = parsePoint(parser);
      } else if (lexer.matchId("obs_domain")) {
        lexer.expect("=");
        if (isDecimal()) {
          if (lexer.value > 255n) lexer.syntaxError("obs_domain must be 8-bit long");
          domain = Number(lexer.value);
        }
        lexer.advance();
      } else if (lexer.matchId("collector_set")) {
        lexer.expect("=");
        if (isDecimal()) collectorSet = Number(lexer.value & 0xffffffffn);
        lexer.advance();
      } else lexer.syntaxError("unknown argument");
      lexer.match(",");
    }
  }
  if (probability === 0) lexer.error("probability must be greater than zero");
  return { kind: "sample", probability, collectorSet, domain, point };
}

function parsePoint(parser: ActionParser): Sample["point"] {
  const { lexer } = parser;
  if (lexer.kind === "address-set" && lexer.name === "cookie") {
    lexer.advance();
    return { kind: "cookie" };
  }
  if (lexer.kind === "integer" && lexer.format === "decimal") {
    const value = Number(lexer.value & 0xffffffffn);
    lexer.advance();
    return { kind: "number", value };
  }
  return { kind: "field", field: parser.typedField(32) };
}

export function formatSample({ probability, collectorSet, domain, point }: Sample): string {
  const where = point.kind === "cookie" ? "$cookie" : point.kind === "field" ? name(point.field) : String(point.value);
  return `sample(probability=${probability},collector_set=${collectorSet},obs_domain=${domain},obs_point=${where});`;
}

export function encodeSample({ probability, collectorSet, domain, point }: Sample, context: EncodeContext): Action[] {
  if (!context.hasCollectorSet(collectorSet)) return [];
  const from = point.kind === "cookie" ? cookieOf(context.flowUuid) : point.kind === "field" ? resolveField(point.field) : point.value;
  // The domain's upper byte is the application's, the rest says which datapath.
  const observed = ((domain << 24) | (context.datapathKey & 0xffffff)) >>> 0;
  return [{ kind: "sample", probability, collectorSet, domain: observed, point: from, samplingPort: ports.none }];
}

export const encodeCheckPacketLarger = ({ destination, size }: LogicalActionOf<"check_pkt_larger">): Action =>
  ({ kind: "check_pkt_larger", size, to: resolveField(destination) });

