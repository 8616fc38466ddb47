/** Whether what is behind a switch port answers: lsp-hc-*. */
import { parseIp } from "../../net/index.ts";
import { isUuid } from "../../ovsdb/index.ts";
import { ipsOf, sharedAddress } from "../addresses.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, getNamed, leadingInteger, type Nb, type NbContext, type NbRow } from "./find.ts";
import { normalizeAddress } from "./routes.ts";

type Check = NbRow<"Logical_Switch_Port_Health_Check">;
const reads = ["Logical_Switch_Port:name,type,addresses,health_checks", "Logical_Switch_Port_Health_Check"];

export const healthCheckCommands: readonly Command<Nb>[] = commands<Nb>("Health checks of ports", [
  {
    name: "lsp-hc-add", usage: "PORT PROTOCOL SRC_IP [DST_PORT] ADDRESS", minArgs: 4, maxArgs: 5, options: "", help: "watch an address of a port", writes: true, reads,
    run: add,
  },
  {
    name: "lsp-hc-del", usage: "PORT [HC_UUID]", minArgs: 1, maxArgs: Infinity, options: "", help: "watch no longer", writes: true, reads,
    run(context) {
      const { db } = context;
      const [given = "", uuid] = context.args;
      const port = getNamed(context, "Logical_Switch_Port", given);
      const gone = uuid === undefined ? db.those("Logical_Switch_Port_Health_Check", port.health_checks) : [checkByUuid(context, uuid)];
      db.remove(port, "health_checks", ...gone.map((row) => row._uuid));
      for (const row of gone) db.delete(row);
    },
  },
  { name: "lsp-hc-list", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print what is watched", writes: false, reads, run: list },
]);

function checkByUuid({ db }: NbContext, given: string): Check {
  if (!isUuid(given)) fail(`${given}: Invalid UUID format.`);
  return db.row("Logical_Switch_Port_Health_Check", given.toLowerCase()) ?? fail(`${given}: Logical Switch Port Health Check not found.`);
}

function add(context: NbContext): void {
  const { db } = context;
  const [given = "", protocolText = "", sourceText = "", ...rest] = context.args;
  const port = getNamed(context, "Logical_Switch_Port", given);
  if (port.type !== "") fail(`${port.type}: Health check monitoring supported only for port with vif type.`);
  const source = normalizeAddress(sourceText) ?? fail(`${sourceText}: Not a valid IPv4 or IPv6 address.`);
  const protocol = (["icmp", "tcp", "udp"] as const).find((p) => p === protocolText) ?? fail(`${protocolText}: Type must be icmp, tcp, or udp.`);
  const portText = protocol === "icmp" ? undefined : rest.shift();
  const number = portText === undefined ? 0 : leadingInteger(portText);
  if (!(number >= 0 && number <= 65535)) fail(`${portText}: port must in range 0...65535`);
  const address = rest[0] ?? fail("No addresses specified for health checking.");
  const ip = parseIp(address) ?? fail(`Not a valid IPv4 or IPv6 address ${address}.`);
  const own = [...port.addresses].map((text) => ipsOf(text) ?? fail("Error extracting logical switch port address."));
  if (!own.some((ips) => sharedAddress([ip], ips) !== undefined)) fail(`Address ${address} not configured on port ${port.name}.`);
  const same = db.those("Logical_Switch_Port_Health_Check", port.health_checks).some(
    (row) => row.src_ip === source && row.protocol === protocol && (protocol === "icmp" || row.port === number) && row.address === address,
  );
  if (same) fail(`Health check with address ${address} already exists on port ${port.name}.`);
  const row = db.insert("Logical_Switch_Port_Health_Check", { protocol, src_ip: source, port: number, address });
  db.verify(port, "health_checks");
  db.add(port, "health_checks", row._uuid);
}

function list(context: NbContext): void {
  const { db } = context;
  const name = argument(context, 0);
  const checks = [...db.those("Logical_Switch_Port_Health_Check", getNamed(context, "Logical_Switch_Port", name).health_checks)].sort(
    (a, b) => compareText(a.src_ip, b.src_ip) || compareText(a.protocol, b.protocol) || a.port - b.port || compareText(a.address, b.address),
  );
  if (checks.length === 0) return;
  const line = (label: string, value: string | number): string => `  ${label.padEnd(14)}:  ${value}\n`;
  const blocks = checks.map((row) => {
    const option = (label: string, key: string): string => {
      const value = Number.parseInt(row.options.get(key) ?? "0", 10) || 0;
      return value === 0 ? "" : line(label, value);
    };
    return (
      line("Protocol", row.protocol) + line("Source IP", row.src_ip) + (row.protocol === "icmp" ? "" : line("Port", row.port)) + line("Address", row.address) +
      option("Interval", "interval") + option("Timeout", "timeout") + option("Success count", "success_count") + option("Failure count", "failure_count")
    );
  });
  context.output = `Logical Switch Port ${name}:\n${blocks.join("\n")}`;
}
