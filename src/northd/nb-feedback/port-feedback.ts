/** What northd writes back to northbound ports: whether they are up, their addresses and tags, and where their gateway is. */
import { relation, rule } from "../../engine/index.ts";
import { entries, wishRelation } from "../../ovsdb/index.ts";
import { northbound } from "../../schemas/index.ts";
import { boolOption } from "../options.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isGatewayPort, redirectName, routerOf } from "../topology/router-ports.ts";
import { isRemoteChassis } from "../topology/settings.ts";
import { typeOf } from "../topology/switch-ports.ts";
import type { LogicalRouter, LogicalSwitch, RouterPort, SwitchPort, Topology } from "../topology/topology.ts";
import { bindingOf } from "../sync/port-bindings.ts";

export const PortFeedback = wishRelation(northbound, "Logical_Switch_Port", "feedback to switch ports");
export const GatewayFeedback = wishRelation(northbound, "Logical_Router_Port", "feedback to router ports");

export const portFeedback = rule("feedback-to-switch-port", (t: Topology) => t.switchPorts, function* (t, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  const { row } = port;
  const up = isUp(owner, port);
  const dynamic = t.dynamicAddresses.get(row._uuid);
  const tag = t.tags.get(row._uuid);
  yield PortFeedback({
    key: row._uuid,
    columns: {
      ...(up === undefined ? {} : { up }),
      ...(dynamic === row.dynamic_addresses ? {} : { dynamic_addresses: dynamic }),
      ...(tag === row.tag ? {} : { tag }),
    },
  });
});

/** Undefined while there is no row in the southbound database to tell it. */
function isUp(owner: LogicalSwitch, port: SwitchPort): boolean | undefined {
  const { topology: t, row } = port;
  const binding = bindingOf(t, owner, row.name);
  if (binding === undefined) return undefined;
  const type = typeOf(port);
  if (type === "router" || type === "switch") return true;
  const chassis = t.sb.Chassis.get(binding.chassis);
  if (chassis === undefined) return false;
  return isRemoteChassis(chassis) || binding.up === true;
}

export const gatewayFeedback = rule("feedback-to-router-port", (t: Topology) => t.routerPorts, function* (t, port) {
  const router = routerOf(port);
  if (router === undefined) return;
  const redirect = isGatewayPort(port) ? bindingOf(t, router, redirectName(port.row.name)) : undefined;
  const prefix = delegatedPrefix(router, port);
  if (redirect === undefined && prefix === undefined) return;
  const columns = {
    ...(redirect === undefined ? {} : { status: entries({ "hosting-chassis": t.sb.Chassis.get(redirect.chassis)?.name }) }),
    ...(prefix === undefined ? {} : { ipv6_prefix: new Set([prefix]) }),
  };
  yield GatewayFeedback({ key: port.row._uuid, columns });
});

/** Of `ID:PREFIX/LENGTH`, which the controller was delegated; once told, it stays until somebody takes it out. */
function delegatedPrefix(router: LogicalRouter, port: RouterPort): string | undefined {
  if (!boolOption(port.row.options, "prefix", false)) return undefined;
  const listed = bindingOf(port.topology, router, port.row.name)?.options.get("ipv6_ra_pd_list");
  return /^\d+:(\S+)/.exec(listed ?? "")?.[1];
}

/** VLAN tags of containers behind a port: a parent has each tag once. */
export const TagRequest = relation<{ readonly scope: string; readonly key: string; readonly requested: number; readonly max: number }>(
  "tags", ({ scope, key, requested }) => `${scope}\n${key}\n${requested}`,
);

export const tagRequests = rule("tag-request", (t: Topology) => t.switchPorts, function* (_, port) {
  const { tag_request: requested, parent_name: parent = "", _uuid: uuid } = port.row;
  if (requested === undefined || switchOf(port) === undefined || (requested === 0 && parent === "")) return;
  // A tag that was asked for is the port's in any case, be it another's too: it has a scope of its own.
  yield TagRequest({ scope: requested === 0 ? parent : `${parent}\n${uuid}`, key: uuid, requested, max: 4095 });
});

/** `PARENT TAG` of a container that asks for a certain tag: its parent gives it to no other one. */
export const tagAskedFor = ({ row: { tag_request: requested = 0, parent_name: parent = "" } }: SwitchPort): readonly string[] =>
  (requested === 0 || parent === "" ? [] : [`${parent} ${requested}`]);
