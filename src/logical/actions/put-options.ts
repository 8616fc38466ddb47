/** Actions with options: put_dhcp_opts, put_dhcpv6_opts, put_nd_ra_opts, trigger_event, and the checks of relayed DHCP. */
import { formatIpv4, type Ipv4, ipv4Of } from "../../net/index.ts";
import type { Action } from "../../openflow/index.ts";
import type { Lexer } from "../lexer.ts";
import { formatConstants } from "../constant.ts";
import { type FieldReference, formatFieldReference, resolveField } from "../symbol.ts";
import type { LogicalActionOf, OptionValue, PutOptions } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { Bytes, controllerOp, putResult } from "./controller-op.ts";
import type { EncodeContext } from "./encode-context.ts";
import { addressAndPort } from "./address-text.ts";
import { putDhcpv4Options, putDhcpv6Option, putEventOption, routerAdvertisement, optionWithCode } from "./option-encoding.ts";
import { dhcpCodes, emptyLbBackendsCodes, emptyLbBackendsOptions, ndRaCodes, ndRaOptions, type OptionTable } from "./options.ts";

const textTypes: ReadonlySet<string> = new Set(["str", "domains", "domain"]);

function parseOption(parser: ActionParser, table: OptionTable, family: string): OptionValue {
  const { lexer } = parser;
  if (lexer.kind !== "id") lexer.syntaxError();
  const option = table.get(lexer.name);
  if (option === undefined) return lexer.syntaxError(`expecting ${family} option name`);
  lexer.advance();
  lexer.expect("=");
  const value = parser.constants.parseConstants();
  if (option.type !== "host_id") {
    const wanted = textTypes.has(option.type) ? "string" : "integer";
    if (value.kind !== wanted) lexer.error(`${family} option ${option.name} requires ${wanted === "string" ? "string" : "numeric"} value.`);
  }
  return { option, value };
}

function parseOptions(parser: ActionParser, table: OptionTable, family: string): readonly OptionValue[] {
  const options: OptionValue[] = [];
  while (!parser.lexer.match(")")) {
    options.push(parseOption(parser, table, family));
    parser.lexer.match(",");
  }
  return options;
}

export function parsePutOptions(parser: ActionParser, kind: PutOptions["kind"], destination: FieldReference): PutOptions {
  const { lexer, parameters } = parser;
  lexer.advance();
  lexer.advance();
  parser.checkField(destination, 1, true);
  switch (kind) {
    case "put_dhcp_opts": {
      const options = parseOptions(parser, parameters.dhcpOptions, "DHCPv4");
      if (optionWithCode(options, dhcpCodes.offerIp) === undefined) lexer.error("put_dhcp_opts requires offerip to be specified.");
      return { kind, destination, options };
    }
    case "put_dhcpv6_opts": return { kind, destination, options: parseOptions(parser, parameters.dhcpv6Options, "DHCPv6") };
    case "put_nd_ra_opts": {
      const options = parseOptions(parser, ndRaOptions, "IPv6 ND RA");
      checkNdRaOptions(lexer, options);
      parser.requireText("ip6");
      return { kind, destination, options };
    }
  }
}

const addressModes = ["slaac", "dhcpv6_stateful", "dhcpv6_stateless"];
const preferences = ["MEDIUM", "HIGH", "LOW"];

function checkNdRaOptions(lexer: Lexer, options: readonly OptionValue[]): void {
  for (const { option, value: { values } } of options) {
    const [first] = values;
    const text = first?.kind === "string" ? first.text : undefined;
    const number = first?.kind === "integer" ? first : undefined;
    const fits = ((): boolean => {
      switch (option.code) {
        case ndRaCodes.addressMode: return text !== undefined && addressModes.includes(text);
        case ndRaCodes.preference: return text !== undefined && preferences.includes(text);
        case ndRaCodes.sourceLinkAddress: return number?.format === "Ethernet";
        case ndRaCodes.prefix: return number?.format === "IPv6" && number.mask !== undefined;
        case ndRaCodes.mtu: return number?.format === "decimal";
        case ndRaCodes.rdnss: return number?.format === "IPv6";
        default: return text !== undefined;
      }
    })();
    if (values.length > 1 || !fits) lexer.error(`Invalid value for "${option.name}" option`);
  }
  const mode = optionWithCode(options, ndRaCodes.addressMode)?.value.values[0];
  if (optionWithCode(options, ndRaCodes.sourceLinkAddress) === undefined) lexer.error("slla option not present");
  const stateful = mode?.kind === "string" && mode.text === "dhcpv6_stateful";
  if (!stateful && optionWithCode(options, ndRaCodes.prefix) === undefined) {
    lexer.error("prefix option needs to be set when address mode is slaac/dhcpv6_stateless.");
  }
}

const formatOptions = (options: readonly OptionValue[]): string => options.map(({ option, value }) => `${option.name} = ${formatConstants(value)}`).join(", ");

export const formatPutOptions = ({ kind, destination, options }: PutOptions): string =>
  `${formatFieldReference(destination)} = ${kind}(${formatOptions(options)});`;

export function encodePutOptions({ kind, destination, options }: PutOptions, context: EncodeContext): Action {
  const bytes = putResult(new Bytes(), resolveField(destination));
  if (kind === "put_dhcp_opts") putDhcpv4Options(bytes, options);
  else if (kind === "put_dhcpv6_opts") for (const option of options) putDhcpv6Option(bytes, option);
  else bytes.put(routerAdvertisement(options));
  return controllerOp(kind, context, bytes.take(), { pause: true });
}

export function parseTriggerEvent(parser: ActionParser): LogicalActionOf<"trigger_event"> {
  const { lexer } = parser;
  lexer.expect("(");
  if (!lexer.matchId("event")) lexer.syntaxError("Expecting 'event' option");
  lexer.expect("=");
  if (lexer.kind !== "string" || lexer.name.length >= 64) lexer.syntaxError("Expecting string");
  const event = "empty_lb_backends";
  if (lexer.name !== event) lexer.syntaxError("Unknown event '-1'");
  lexer.advance();
  lexer.match(",");
  const options = parseOptions(parser, emptyLbBackendsOptions, event);
  for (const option of options) checkEventOption(lexer, option);
  return { kind: "trigger_event", event, options };
}

const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

function checkEventOption(lexer: Lexer, { option, value: { values } }: OptionValue): void {
  const [first] = values;
  if (values.length > 1 || first?.kind !== "string") return lexer.error(`Invalid value for "${option.name}" option`);
  const { text } = first;
  switch (option.code) {
    case emptyLbBackendsCodes.vip:
      if (addressAndPort(text) === undefined) lexer.error(`Invalid load balancer VIP '${text}'`);
      break;
    case emptyLbBackendsCodes.protocol:
      if (!["tcp", "udp", "sctp"].includes(text)) lexer.error(`Load balancer protocol '${text}' is not 'tcp', 'udp', or 'sctp'`);
      break;
    default:
      if (!uuidPattern.test(text)) lexer.error(`Load balancer '${text}' is not a UUID`);
  }
}

export const formatTriggerEvent = ({ event, options }: LogicalActionOf<"trigger_event">): string =>
  `trigger_event(event = "${event}"${options.length > 0 ? `, ${formatOptions(options)}` : ""});`;

export function encodeTriggerEvent({ options }: LogicalActionOf<"trigger_event">, context: EncodeContext): Action {
  // Event 0 is empty_lb_backends, the only one there is.
  const bytes = new Bytes().uint(0, 4);
  for (const option of options) putEventOption(bytes, option);
  return controllerOp("event", context, bytes.take());
}

export function parseDhcpRelay(parser: ActionParser, kind: LogicalActionOf<"dhcp_relay_req_chk">["kind"], destination: FieldReference): LogicalActionOf<"dhcp_relay_req_chk"> {
  const { lexer } = parser;
  lexer.advance();
  lexer.expect("(");
  parser.checkField(destination, 1, true);
  const address = (complaint: string): Ipv4 => {
    if (lexer.kind !== "integer" || lexer.format !== "IPv4") lexer.syntaxError(complaint);
    const ip = ipv4Of(Number(lexer.value));
    lexer.advance();
    return ip;
  };
  const relay = address("expecting IPv4 dhcp relay and server ips");
  lexer.match(",");
  const server = address("expecting IPv4 dhcp server ip");
  lexer.expect(")");
  return { kind, destination, relay, server };
}

export const formatDhcpRelay = ({ kind, destination, relay, server }: LogicalActionOf<"dhcp_relay_req_chk">): string =>
  `${formatFieldReference(destination)} = ${kind}(${formatIpv4(relay)}, ${formatIpv4(server)});`;

export const encodeDhcpRelay = ({ kind, destination, relay, server }: LogicalActionOf<"dhcp_relay_req_chk">, context: EncodeContext): Action =>
  controllerOp(kind, context, putResult(new Bytes(), resolveField(destination)).uint(relay, 4).uint(server, 4).take(), { pause: true });
