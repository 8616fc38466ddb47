/**
 * Flows of localnet ports beyond those of every attached port. A distributed router's MAC must not appear on a physical
 * network from every chassis at once: on the way out it is replaced by the chassis' own (ovn-chassis-mac-mappings), on the
 * way in put back.
 */
import { derived, rule, type Yield } from "../../engine/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { type Action, field, Match } from "../../openflow/index.ts";
import { type Mac, parseMac } from "../../net/index.ts";
import { Flow, load, output, resubmit, toPort, withFlags } from "../flow.ts";
import { peerPortsOf } from "../local-datapaths.ts";
import type { Node } from "../node.ts";
import { isResident, ourChassis, portNamed } from "../ports.ts";
import { cookieOf, type PortBinding } from "../rows.ts";
import { mappings, setting } from "../settings.ts";
import type { Attachment } from "./attachment.ts";
import { clearRegisters, type Keys, loadIngress, popTag, pushTag } from "./local-port.ts";
import { drop } from "./sampled-drops.ts";

const chassisMacConjunction = 100;

const firstMac = (port: PortBinding): Mac | undefined => {
  const [address] = port.mac;
  return parseMac(address?.split(" ")[0] ?? "");
};

const tagMatch = (ofport: number, tag: number): Match =>
  tag === 0 ? Match.of(["in_port", ofport], ["vlan_tci", 0, 0x1000]) : Match.of(["in_port", ofport], ["dl_vlan", tag]);

/** The other chassis' own MACs, by which their routed packets are known. */
export const chassisMacFlows = rule("chassis-mac-flows", (node: Node) => node.sb.tables.Chassis, function* (node, chassis) {
  if (chassis === ourChassis(node)) return;
  const text = chassis.other_config.get(`ovn-chassis-mac-mappings-${chassis.name}`) ?? chassis.other_config.get("ovn-chassis-mac-mappings") ?? "";
  for (const item of text.split(",")) {
    const [, value] = /^[^:]+:(.+)$/.exec(item) ?? [];
    if (value === undefined && item !== "") {
      node.host.log.module("physical").warn(`Parsing of ovn-chassis-mac-mappings failed for: "${item}", the correct format is "br-name1:MAC1".`);
    }
    const mac = parseMac(value ?? "");
    if (mac === undefined) continue;
    yield Flow({
      table: openflowTables.phyToLog, priority: 180, cookie: cookieOf(chassis), match: Match.of(["eth_src", mac]),
      actions: [{ kind: "conjunction", id: chassisMacConjunction, clause: 0, clauses: 2 }],
    });
  }
});

const ownMacOf = derived("chassis-mac", (node: Node, network: string): Mac | undefined =>
  parseMac(mappings(setting(node, "ovn-chassis-mac-mappings") ?? "").get(network) ?? ""));

export function* localnetFlows(node: Node, port: PortBinding, keys: Keys, { ofport, tag }: Attachment): Iterable<Yield> {
  const cookie = cookieOf(port);
  for (const { remote } of peerPortsOf(node, port.datapath)) {
    const routerMac = firstMac(remote);
    if (routerMac === undefined) continue;
    yield Flow({
      table: openflowTables.phyToLog, priority: 180, cookie: cookieOf(remote), match: tagMatch(ofport, tag).with(field("conj_id"), chassisMacConjunction),
      actions: [
        ...(tag === 0 ? [] : [popTag]), ...loadIngress(node, port, keys, true), load("eth_src", routerMac),
        resubmit(openflowTables.logIngressPipeline),
      ],
    });
    yield Flow({
      table: openflowTables.phyToLog, priority: 180, cookie: cookieOf(remote), match: tagMatch(ofport, tag),
      actions: [{ kind: "conjunction", id: chassisMacConjunction, clause: 1, clauses: 2 }],
    });
    const ownMac = ownMacOf(node, port.options.get("network_name") ?? "");
    const redirect = portNamed(node, `cr-${remote.logical_port}`);
    if (ownMac === undefined || (redirect !== undefined && isResident(node, redirect))) continue;
    const tagging: readonly Action[] = tag === 0 ? [] : pushTag(port.options, tag);
    yield Flow({
      table: openflowTables.logToPhy, priority: 150, cookie, match: toPort(keys.datapath, keys.port).with(field("eth_src"), routerMac),
      // Put back afterwards: a flooded packet goes on to other ports.
      actions: [load("eth_src", ownMac), ...tagging, output(ofport), load("eth_src", routerMac), ...(tag === 0 ? [] : [popTag])],
    });
  }
  yield* confinementFlows(node, port, keys);
}

/** What must not leak onto the physical network: traffic of localports, and what is for this chassis only. */
function* confinementFlows(node: Node, port: PortBinding, keys: Keys): Iterable<Yield> {
  const cookie = cookieOf(port);
  const out = toPort(keys.datapath, keys.port);
  const fromLocalport = withFlags(out, ["localport"]);
  const actions = drop(node, openflowTables.checkLoopback);
  yield Flow({ table: openflowTables.checkLoopback, priority: 160, cookie, match: fromLocalport, actions });
  yield Flow({ table: openflowTables.checkLoopback, priority: 160, cookie, match: withFlags(out, ["localOnly"], ["overrideLocalOnly"]), actions });
  for (const external of node.externalPortsByDatapath.get(port.datapath)) {
    if (external.chassis === undefined || external.chassis !== ourChassis(node)?._uuid) continue;
    for (const address of external.mac) {
      const mac = parseMac(address.split(" ")[0] ?? "");
      if (mac === undefined) continue;
      yield Flow({
        table: openflowTables.checkLoopback, priority: 170, cookie, match: fromLocalport.with(field("eth_dst"), mac),
        actions: [...clearRegisters, resubmit(openflowTables.logEgressPipeline)],
      });
    }
  }
}
