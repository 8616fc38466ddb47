/**
 * Router ports that are to get an IPv6 prefix by delegation (ovn-nb(5), Logical_Router_Port.options:prefix), each with the
 * port of its router through which servers are asked (options:prefix_delegation), if that one is served on this chassis.
 */
import { derived, relation, rule } from "../../engine/index.ts";
import { type Ipv6, linkLocalOf, type Mac } from "../../net/index.ts";
import { datapathField, inportField, load } from "../flow.ts";
import type { DatapathUuid, Node } from "../node.ts";
import { portAddresses } from "../port-addresses.ts";
import { datapathOf, isResident, ourChassis, peerOf, portNamed, portOption } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";
import type { PortBinding } from "../rows.ts";
import { formatDelegated } from "./prefix-client.ts";
import type { Action } from "../../openflow/index.ts";

export const delegatedKey = "ipv6_ra_pd_list";

/** How questions get out: as if the router sent them from its port towards the servers. */
export interface Uplink {
  readonly mac: Mac;
  readonly ip: Ipv6;
  /** The other end of the router's port, where packets from it come in. */
  readonly datapathKey: number;
  readonly portKey: number;
}

export interface WantedPrefix {
  readonly port: PortBinding;
  /** By which servers know the client. */
  readonly mac: Mac;
  readonly uplink: Uplink;
}

export const WantedPrefix = relation<WantedPrefix>("WantedPrefix", ({ port, mac, uplink }) =>
  [port._uuid, mac, uplink.mac, uplink.ip, uplink.datapathKey, uplink.portKey].join(" "));

export const comesFrom = ({ datapathKey, portKey }: Uplink): readonly Action[] => [load(datapathField, datapathKey), load(inportField, portKey)];

export const wantedPrefixes = rule("wanted-prefixes", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (!portOption(port, "ipv6_prefix") || !node.isLocalDatapath(port.datapath) || peerOf(node, port) === undefined) return;
  const [address] = portAddresses(port.mac);
  const uplink = uplinkOf(node, port.datapath);
  if (address !== undefined && uplink !== undefined) yield WantedPrefix({ port, mac: address.mac, uplink });
});

const uplinkOf = derived("delegating uplink", (node: Node, router: DatapathUuid): Uplink | undefined => {
  for (const port of node.connectorsByDatapath.get(router)) {
    const peer = portOption(port, "ipv6_prefix_delegation") && isServedHere(node, port) ? peerOf(node, port) : undefined;
    const beyond = peer && datapathOf(node, peer);
    const addresses = portAddresses(port.mac);
    const [first] = addresses;
    if (peer === undefined || beyond === undefined || first === undefined) continue;
    const own = addresses.flatMap(({ ips }) => ips.flatMap((ip) => (ip.family === 6 ? [ip.address] : [])));
    return { mac: first.mac, ip: own[0] ?? linkLocalOf(first.mac), datapathKey: beyond.tunnel_key, portKey: peer.tunnel_key };
  }
  return undefined;
});

function isServedHere(node: Node, port: PortBinding): boolean {
  if (port.type === "l3gateway") return port.chassis !== undefined && port.chassis === ourChassis(node)?._uuid;
  const redirect = portNamed(node, `cr-${port.logical_port}`);
  return redirect !== undefined && isResident(node, redirect);
}

/** What has been delegated is told to northd, and to whoever serves the port next. */
export const delegationReports = rule("delegation-reports", (node: Node) => node.engine.facts(WantedPrefix), function* (node, { port }) {
  const held = node.delegatedPrefixes.of(port._uuid);
  const text = held && formatDelegated(held);
  if (text === undefined || port.options.get(delegatedKey) === text) return;
  yield SouthboundRepair({
    key: `delegated ${port._uuid} ${text}`,
    apply: (txn) => {
      txn.mutate(port, "options", "delete", [delegatedKey]);
      txn.mutate(port, "options", "insert", new Map([[delegatedKey, text]]));
    },
  });
});
