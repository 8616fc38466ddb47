/**
 * A port on a chassis where it is about to move stays shut until its virtual machine is heard there, by RARP, gratuitous ARP
 * or a neighbor advertisement: before that only the other copy may speak (ovn-nb(5), options:activation-strategy).
 */
import { rule, type Yield } from "../../engine/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { field, Match } from "../../openflow/index.ts";
import { linkLocalOf, type Mac } from "../../net/index.ts";
import { etherType, ipProtocol } from "../../packet/index.ts";
import { Flow, resubmit, toPort } from "../flow.ts";
import type { Node } from "../node.ts";
import { type PortAddresses, portAddresses } from "../port-addresses.ts";
import { isAdditionalChassis, ourChassis } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";
import { type Chassis, cookieOf, type PortBinding } from "../rows.ts";
import { commaSeparated } from "../settings.ts";
import { toController } from "./controller-action.ts";
import { type Keys, loadIngress } from "./local-port.ts";

const strategies = ["rarp", "garp", "na"] as const;
type Strategy = (typeof strategies)[number];

const activatedKey = "additional-chassis-activated";
const heardPriority = 1010;
const shutPriority = 1000;
const neighborAdvert = 136;

const isActivated = (port: PortBinding, chassis: Chassis): boolean => commaSeparated(port.options.get(activatedKey) ?? "").includes(chassis.name);

function strategiesOf(node: Node, port: PortBinding): ReadonlySet<Strategy> {
  const found = new Set<Strategy>();
  for (const name of commaSeparated(port.options.get("activation-strategy") ?? "")) {
    const strategy = strategies.find((s) => s === name);
    if (strategy !== undefined) found.add(strategy);
    else node.host.log.module("physical").warn(`Unknown activation strategy defined for port ${port.logical_port}: ${name}`);
  }
  return found;
}

export function* activationFlows(node: Node, port: PortBinding, keys: Keys, ofport: number): Iterable<Yield> {
  const own = ourChassis(node);
  if (own === undefined || !isAdditionalChassis(port, own) || isActivated(port, own) || node.activations.of(port._uuid) === true) return;
  const wanted = strategiesOf(node, port);
  if (wanted.size === 0) return;
  const cookie = cookieOf(port);
  const heard = [...loadIngress(node, port, keys, true), toController("activation_strategy"), resubmit(openflowTables.logIngressPipeline)];
  const from = Match.of(["in_port", ofport]);
  for (const addresses of portAddresses(port.mac)) {
    for (const match of signals(from, wanted, addresses)) {
      yield Flow({ table: openflowTables.phyToLog, priority: heardPriority, cookie, match, actions: heard });
    }
    yield Flow({ table: openflowTables.phyToLog, priority: shutPriority, cookie, match: from, actions: [] });
    yield Flow({ table: openflowTables.logToPhy, priority: shutPriority, cookie, match: toPort(keys.datapath, keys.port), actions: [] });
  }
}

/** The packets by which the virtual machine may show that it is here. */
function* signals(from: Match, wanted: ReadonlySet<Strategy>, { mac, ips }: PortAddresses): Iterable<Match> {
  if (wanted.has("rarp")) yield from.with(field("eth_type"), etherType.rarp);
  for (const ip of ips) {
    if (ip.family !== 4 || !wanted.has("garp")) continue;
    yield from.with(field("eth_type"), etherType.arp).with(field("eth_src"), mac).with(field("arp_sha"), mac)
      .with(field("arp_spa"), ip.address).with(field("arp_tpa"), ip.address);
  }
  const ipv6 = ips.flatMap((ip) => (ip.family === 6 ? [ip.address] : []));
  if (!wanted.has("na") || ipv6.length === 0) return;
  for (const address of [linkLocalOf(mac), ...ipv6]) yield advertisement(from, mac, address);
}

const advertisement = (from: Match, mac: Mac, address: bigint): Match =>
  from.with(field("eth_type"), etherType.ipv6).with(field("nw_proto"), ipProtocol.icmpv6).with(field("icmpv6_type"), neighborAdvert)
    .with(field("icmpv6_code"), 0).with(field("ipv6_src"), address).with(field("nd_target"), address).with(field("nd_tll"), mac);

/** Tells the others that the port lives here: a restarted controller does not shut it again. */
export const activationReports = rule("activation-reports", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (!port.options.has("activation-strategy")) return;
  const own = ourChassis(node);
  if (own === undefined || node.activations.of(port._uuid) !== true || !isAdditionalChassis(port, own) || isActivated(port, own)) return;
  const names = [...commaSeparated(port.options.get(activatedKey) ?? ""), own.name].join(",");
  yield SouthboundRepair({
    key: `activated ${port._uuid} ${names}`,
    apply: (txn) => {
      if (port.options.has(activatedKey)) txn.mutate(port, "options", "delete", [activatedKey]);
      txn.mutate(port, "options", "insert", new Map([[activatedKey, names]]));
    },
  });
});
