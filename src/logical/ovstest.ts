/**
 * The part of OVN's own test program that asks about the logical-flow language (`ovstest test-ovn`, tests/test-ovn.c,
 * main): the same questions, answered in the same form. OVN's suite can so be run against this room, and the C program's
 * answers be held against ours.
 */
import { formatActions as formatOpenflowActions, formatMatch, oxmOf, of15, field, type Match } from "../openflow/index.ts";
import { present } from "../std/index.ts";
import { annotateExpression, expressionToMatches, parseExpression, addressConstants, type MatchContext } from "./expressions.ts";
import type { EncodeContext } from "./actions/encode-context.ts";
import { encodeActions } from "./actions/encode-actions.ts";
import { formatActions } from "./actions/format-actions.ts";
import { dhcpv4Options, dhcpv6Options, type OptionTable } from "./actions/options.ts";
import { parseActions } from "./actions/parse-actions.ts";
import { addField, addString, formatSymbol } from "./define-symbol.ts";
import { evaluate } from "./evaluate.ts";
import { compositions, exhaustive } from "./exhaustive.ts";
import { type Expression, formatExpression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { withConjunctionId } from "./matches.ts";
import { parseMicroflow } from "./microflow.ts";
import { normalize } from "./normalize.ts";
import { openflowTables } from "./openflow-tables.ts";
import { ovnSymbols } from "./ovn-symbols.ts";
import { evaluateConditions, simplify } from "./simplify.ts";
import { pipelineLength } from "./stages.ts";
import type { SymbolTable } from "./symbol-table.ts";
import { expandTemplates } from "./template.ts";

/** Steps by the names of the subcommands, each including those before it. */
const steps = ["parse-expr", "annotate-expr", "simplify-expr", "normalize-expr", "expr-to-flows"] as const;
type Step = (typeof steps)[number];
const isStep = (command: string): command is Step => steps.some((step) => step === command);

/** What the program prints for `command`, its arguments and its input; undefined if there is no such command. */
export function testOvn(command: string, args: readonly string[], input: string): string | undefined {
  if (isStep(command)) return eachLine(input, expressionPrinter(command));
  switch (command) {
    case "lex": return eachLine(input, (line) => [formatTokens(line)]);
    case "dump-symtab": return dumpSymbols();
    case "evaluate-expr": return eachLine(input, evaluator(args[0] ?? ""));
    case "parse-actions": return eachLine(input, actionPrinter());
    case "composition": return compositions(Number(args[0])).map((parts) => `${parts.join(" ")}\n`).join("");
    case "exhaustive": return exhaustive(args);
    default: return undefined;
  }
}

/** Lines that begin with # and empty ones are printed as they are; what follows a # elsewhere is dropped. */
function eachLine(input: string, print: (line: string) => readonly string[]): string {
  const lines = input.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const output = lines.flatMap((whole) => {
    if (whole.startsWith("#")) return [whole];
    const line = whole.replace(/#.*/, "");
    return line.trim() === "" ? [""] : print(line);
  });
  return output.map((line) => `${line}\n`).join("");
}

function formatTokens(line: string): string {
  const tokens: string[] = [];
  for (const lexer = new Lexer(line); lexer.kind !== "end"; lexer.advance()) tokens.push(lexer.formatToken());
  return tokens.join(" ");
}

/** OVN's symbols and some that cannot work. */
function testSymbols(): SymbolTable {
  const symbols = ovnSymbols();
  const broken = { bad_prereq: "xyzzy", self_recurse: "self_recurse != 0", mutual_recurse_1: "mutual_recurse_2 != 0", mutual_recurse_2: "mutual_recurse_1 != 0" };
  for (const [name, prerequisites] of Object.entries(broken)) addField(symbols, name, "xreg0", { prerequisites });
  addString(symbols, "big_string", "xreg0");
  return symbols;
}

function dumpSymbols(): string {
  const codePoint = (name: Parameters<typeof field>[0]): string => present(oxmOf(field(name), of15), name).name;
  const lines = [...testSymbols()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((symbol) => `${formatSymbol(symbol, codePoint)}\n`);
  return lines.join("");
}

const sets: ReadonlyMap<string, readonly string[]> = new Map([
  ["set1", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]],
  ["set2", ["::1", "::2", "::3"]],
  ["set3", ["00:00:00:00:00:01", "00:00:00:00:00:02", "00:00:00:00:00:03"]],
  ["set4", []],
]);
const groups: ReadonlyMap<string, readonly string[]> = new Map([["pg1", ["lsp1", "lsp2", "lsp3"]], ["pg_empty", []]]);
const ports: ReadonlyMap<string, number> = new Map([["eth0", 5], ["eth1", 6], ["LOCAL", 0xfffe], ["lsp1", 0x11], ["lsp2", 0x12], ["lsp3", 0x13]]);
const actionPorts: ReadonlyMap<string, number> = new Map([...ports].filter(([name]) => name !== "lsp2" && name !== "lsp3"));

function expressionPrinter(step: Step): (line: string) => readonly string[] {
  const context: MatchContext = {
    symbols: testSymbols(),
    addressSet: (name) => {
      const addresses = sets.get(name);
      return addresses && addressConstants(addresses);
    },
    portGroup: (name) => groups.get(name),
    lookupPort: (name) => ports.get(name),
    isChassisResident: (port) => ports.has(port),
  };
  const depth = steps.indexOf(step);
  return (line) => {
    const parsed = parseExpression(line, context);
    const annotated = parsed.kind === "parsed" && depth > 0 ? annotateExpression(parsed.value, context) : parsed;
    if (annotated.kind === "error") return [annotated.message];
    if (step === "expr-to-flows") return formatFlows(annotated.value, context);
    let expression = annotated.value;
    if (depth > 1) expression = evaluateConditions(simplify(expression), context.isChassisResident);
    if (depth > 2) expression = normalize(expression);
    return [formatExpression(expression)];
  };
}

function formatFlows(expression: Expression, context: MatchContext): readonly string[] {
  const { matches } = expressionToMatches(expression, context);
  if (matches.length === 0) return ["(no flows)"];
  return matches.map((flow) => {
    const clauses = flow.conjunctions.map(({ id, clause, clauses: count }, i) => `${i === 0 ? ":" : ","} conjunction(${id}, ${clause}/${count})`);
    return `${formatMatch(withConjunctionId(flow, 0))}${clauses.join("")}`;
  });
}

function evaluator(microflow: string): (line: string) => readonly string[] {
  const symbols = ovnSymbols();
  // Ports are written as numbers.
  const lookupPort = (name: string): number => Number.parseInt(name, 10) || 0;
  const flow = parseMicroflow(microflow, { symbols }, lookupPort);
  if (flow.kind === "error") return () => [flow.message];
  const read = fieldReader(flow.value);
  return (line) => {
    const parsed = parseExpression(line, { symbols });
    const annotated = parsed.kind === "parsed" ? annotateExpression(parsed.value, { symbols }) : parsed;
    if (annotated.kind === "error") return [annotated.message];
    return [evaluate(annotated.value, { read, lookupPort }) ? "1" : "0"];
  };
}

/** The value of a field in a match that demands whole fields; wide registers are made of the narrow ones in it. */
function fieldReader(match: Match): (f: { readonly name: string }) => bigint {
  const values = new Map(match.terms.map(({ field: f, value }) => [f.name as string, BigInt(value)]));
  const read = (name: string): bigint => {
    const wide = /^(x+)reg(\d+)$/.exec(name);
    if (wide === null) return name === "ip_dscp" ? (values.get("nw_tos") ?? 0n) >> 2n : (values.get(name) ?? 0n);
    const words = wide[1] === "x" ? 2 : 4;
    let value = 0n;
    for (let i = 0; i < words; i++) value = (value << 32n) | (values.get(`reg${Number(wide[2]) * words + i}`) ?? 0n);
    return value;
  };
  return (f) => read(f.name);
}

/** As the program's own table of options: without those that came after it. */
const testDhcpOptions: OptionTable = new Map([...dhcpv4Options].filter(([name]) => !["T1", "T2", "ms_classless_static_route"].includes(name)));

/** The program prints actions that have not been on the wire yet: with lengths that are not filled in, and no list of controllers. */
const asUnsent = (text: string): string =>
  text.replaceAll("dec_ttl()", "dec_ttl").replace(/set_field:(\d+)->ip_dscp/g, "set_field:$1/0x3f->ip_dscp").replace(/(learn\(|,)(\w+\[\]=\w+)\[\]/g, "$1$2[0..-1]");

function actionPrinter(): (line: string) => readonly string[] {
  const symbols = testSymbols();
  const groupIds = new Map<string, number>();
  const meterIds = new Map<string, number>();
  const idOf = (ids: Map<string, number>, name: string): number => {
    const id = ids.get(name) ?? ids.size + 1;
    ids.set(name, id);
    return id;
  };
  const context: EncodeContext = {
    lookupPort: (name) => actionPorts.get(name), isLocalPort: (name) => actionPorts.has(name), tunnelPort: (name) => actionPorts.get(name),
    isSwitch: true, pipeline: "ingress", outputTable: openflowTables.saveInport,
    groupId: (name) => idOf(groupIds, name), meterId: (name) => idOf(meterIds, name), controllerMeter: undefined,
    hasCollectorSet: (id) => id === 0 || id === 200, flowUuid: "aaaaaaaa-bbbb-bbbb-cccc-ccccdddddddd", datapathKey: 0xabcdef,
    commonNatZone: "reg11", features: { ctZeroSnat: false, meters: false, hashL4Symmetric: false },
  };
  const parameters = { symbols, dhcpOptions: testDhcpOptions, dhcpv6Options, pipeline: "ingress", table: 10, tables: pipelineLength.ingress } as const;
  return (line) => {
    // There are no template variables here.
    if (expandTemplates(line, () => undefined) === undefined) return [line, `    failed to parse ${line}`];
    const parsed = parseActions(line, parameters);
    if (parsed.kind === "error") return [line, `    ${parsed.message}`];
    const { actions, prerequisites } = parsed.value;
    const text = formatActions(actions);
    const encoded = asUnsent(formatOpenflowActions(encodeActions(actions, context)));
    // Told only where the group is all that the action is.
    const used = [...groupIds].filter(([, id]) => encoded === `group:${id}`);
    return [
      line,
      ...(text === line ? [] : [`    formats as ${text}`]),
      `    encodes as ${encoded}`,
      ...used.map(([name, id]) => `    uses group: id(${id}), name(${name})`),
      ...(prerequisites === undefined ? [] : [`    has prereqs ${formatExpression(prerequisites)}`]),
    ];
  };
}
