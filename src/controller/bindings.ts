/**
 * Claims and releases ports in the southbound database, reports them up when their flows are in place, and marks their
 * interfaces (ovn-sb(5), Port_Binding; ovn-controller(8), external_ids:ovn-installed).
 */
import { relation, rule, type Yield } from "../engine/index.ts";
import { encapsOf } from "./chassis-encaps.ts";
import { type Claim, claimOf, interfaceOf, isOnIntegrationBridge } from "./claims.ts";
import { setEntries } from "./map-entries.ts";
import type { Node } from "./node.ts";
import { haGroupOf, isAdditionalChassis, kindOf, ourChassis, portNamed } from "./ports.ts";
import { OpenVswitchRepair, SouthboundRepair } from "./repairs.ts";
import type { Chassis, Encap, Interface, PortBinding, SouthboundTransaction } from "./rows.ts";
import { asBoolean } from "./settings.ts";

/** A port that the southbound database has given us: its flows are awaited, then it is up. */
export const OwnPort = relation<{ readonly port: PortBinding }>("OwnPort", ({ port }) => port._uuid);

/** How long a chassis keeps a port at least before another may take it over: two with the same iface-id would fight. */
const claimPauseMs = 500;

export const bindings = rule("bindings", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  const own = ourChassis(node);
  if (own === undefined || !node.isSettled.get() || isUndecided(node, port)) return;
  const claim = claimOf(node, port);
  if (claim === undefined) {
    sayWhyNot(node, port, own);
    if (port.chassis === own._uuid || isAdditionalChassis(port, own)) yield releaseOf(node, port, own);
    return;
  }
  const isOurs = claim.role === "main" ? port.chassis === own._uuid : isAdditionalChassis(port, own);
  if (!isOurs) {
    yield claimRepair(node, port, own, claim);
    return;
  }
  yield OwnPort({ port });
  yield* encapRepair(node, port, own, claim);
  yield* upRepair(node, port, claim);
});

/** An interface is here, but the port is wanted elsewhere. */
function sayWhyNot(node: Node, port: PortBinding, own: Chassis): void {
  if (kindOf(port) !== "vif" || interfaceOf(node, port.logical_port) === undefined) return;
  const holder = node.sb.tables.Chassis.get(port.chassis)?.name ?? "";
  node.host.log.module("binding").info(
    `Not claiming lport ${port.logical_port}, chassis ${own.name} requested-chassis ${port.options.get("requested-chassis") ?? "[]"} pb->chassis ${holder}`);
}

/** Who leads an HA chassis group cannot be known before the switch has told who lives: until then all stays as it is. */
function isUndecided(node: Node, port: PortBinding): boolean {
  const kind = kindOf(port);
  return (kind === "chassisredirect" || kind === "external") && node.switchLink.get() === "never";
}

function claimRepair(node: Node, port: PortBinding, own: Chassis, claim: Claim): Yield {
  const log = node.host.log.module("binding");
  const wasAdditional = isAdditionalChassis(port, own);
  return SouthboundRepair({
    key: `claim ${port.logical_port} ${port._uuid} ${wasAdditional} ${claim.role} for ${own._uuid} from ${port.chassis ?? ""} by ${claim.iface?._uuid ?? ""}`,
    apply: (txn) => {
      const pause = claimPause(node, port);
      if (pause > 0) return pause;
      node.claimedAt.set(port.logical_port, node.host.clock.now());
      const before = node.sb.tables.Chassis.get(port.chassis);
      if (claim.role === "additional") log.info(`Claiming lport ${port.logical_port} for this additional chassis.`);
      else if (before === undefined) log.info(`Claiming lport ${port.logical_port} for this chassis.`);
      else log.info(`Changing chassis for lport ${port.logical_port} from ${before.name} to ${own.name}.`);
      for (const mac of port.mac) log.info(`${port.logical_port}: Claiming ${mac}`);
      const encap = encapFor(node, own, claim.iface)?._uuid;
      if (claim.role === "main") {
        txn.update(port, { chassis: own._uuid, ...(encapIsNorthds(port) ? {} : { encap }) });
        if (wasAdditional) forgetAsAdditional(txn, node, port, own);
      } else {
        txn.mutate(port, "additional_chassis", "insert", [own._uuid]);
        if (encap !== undefined) txn.mutate(port, "additional_encap", "insert", [encap]);
        if (port.chassis === own._uuid) txn.update(port, { chassis: undefined });
      }
      return undefined;
    },
  });
}

/** Milliseconds to wait before taking the port from another chassis. */
function claimPause(node: Node, port: PortBinding): number {
  if (port.chassis === undefined || haGroupOf(node, port) !== undefined) return 0;
  return (node.claimedAt.get(port.logical_port) ?? -Infinity) + claimPauseMs - node.host.clock.now();
}

function releaseOf(node: Node, port: PortBinding, own: Chassis): Yield {
  const isMain = port.chassis === own._uuid;
  return SouthboundRepair({
    key: `release ${port.logical_port} ${port._uuid} by ${own._uuid} ${isMain}`,
    apply: (txn) => {
      node.host.log.module("binding").info(isMain
        ? `Releasing lport ${port.logical_port} from this chassis (sb_readonly=0)`
        : `Releasing lport ${port.logical_port} from this additional chassis.`);
      if (isMain) {
        if (port.up === true) node.host.log.module("binding").info(`Setting lport ${port.logical_port} down in Southbound`);
        txn.update(port, {
          chassis: undefined, virtual_parent: undefined, ...(encapIsNorthds(port) ? {} : { encap: undefined }), ...(port.up === true ? { up: false } : {}),
        });
      }
      forgetAsAdditional(txn, node, port, own);
    },
  });
}

function forgetAsAdditional(txn: SouthboundTransaction, node: Node, port: PortBinding, own: Chassis): void {
  txn.mutate(port, "additional_chassis", "delete", [own._uuid]);
  const encaps = encapsOf(node, own).map((e) => e._uuid);
  if (encaps.length > 0) txn.mutate(port, "additional_encap", "delete", encaps);
}

const encapIsNorthds = (port: PortBinding): boolean => (port.options.get("requested-encap-ip") ?? "") !== "";

/** By which of several addresses packets for the port are to come; undefined: by any. */
function encapFor(node: Node, own: Chassis, iface: Interface | undefined): Encap | undefined {
  const encaps = encapsOf(node, own);
  if (encaps.length < 2) return undefined;
  const ip = iface?.external_ids.get("encap-ip");
  const eligible = encaps.filter((e) => (ip === undefined ? asBoolean(e.options.get("is_default"), false) : e.ip === ip));
  return eligible.find((e) => e.type === "geneve") ?? eligible[0];
}

function* encapRepair(node: Node, port: PortBinding, own: Chassis, claim: Claim): Iterable<Yield> {
  if (encapIsNorthds(port)) return;
  const encap = encapFor(node, own, claim.iface)?._uuid;
  if (claim.role === "main") {
    if (encap !== port.encap) yield SouthboundRepair({ key: `encap of ${port._uuid}: ${encap ?? ""}`, apply: (txn) => txn.update(port, { encap }) });
    return;
  }
  const stale = encapsOf(node, own).map((e) => e._uuid).filter((uuid) => uuid !== encap && port.additional_encap.has(uuid));
  if (stale.length === 0 && (encap === undefined || port.additional_encap.has(encap))) return;
  yield SouthboundRepair({
    key: `additional encap of ${port._uuid}: ${encap ?? ""} not ${stale.join()}`,
    apply: (txn) => {
      if (stale.length > 0) txn.mutate(port, "additional_encap", "delete", stale);
      if (encap !== undefined) txn.mutate(port, "additional_encap", "insert", [encap]);
    },
  });
}

/** Nested ports come up after their parents. */
function* upRepair(node: Node, port: PortBinding, claim: Claim): Iterable<Yield> {
  if (port.up !== false || !node.inService.has(port._uuid)) return;
  if (claim.parent !== undefined && claim.parent.up !== true) return;
  yield SouthboundRepair({
    key: `up ${port._uuid}`,
    apply: (txn) => {
      node.host.log.module("binding").info(`Setting lport ${port.logical_port} up in Southbound`);
      txn.update(port, { up: true });
    },
  });
}

const installedKeys = { "ovn-installed": undefined, "ovn-installed-ts": undefined } as const;

/** external_ids:ovn-installed says that the port's flows are in place: whoever plugged the interface may go on. */
export const interfaceMarks = rule("interface-marks", (node: Node) => node.ovs.tables.Interface, function* (node, iface) {
  const id = iface.external_ids.get("iface-id");
  const isMarked = asBoolean(iface.external_ids.get("ovn-installed"), false);
  if ((id === undefined && !isMarked) || !node.isSettled.get() || !isOnIntegrationBridge(node, iface)) return;
  const port = id === undefined ? undefined : portNamed(node, id);
  const claim = port && kindOf(port) === "vif" ? claimOf(node, port) : undefined;
  const isInService = port !== undefined && claim?.iface === iface && node.inService.has(port._uuid);
  const log = node.host.log.module("binding");
  if (isInService && !isMarked) {
    yield OpenVswitchRepair({
      key: `installed ${iface._uuid}`,
      apply: (txn) => {
        log.info(`Setting lport ${id ?? ""} ovn-installed in OVS`);
        setEntries(txn, iface, { "ovn-installed": "true", "ovn-installed-ts": String(Math.floor(node.host.clock.wall())) });
      },
    });
  } else if (isMarked && claim?.iface !== iface) {
    yield OpenVswitchRepair({
      key: `not installed ${iface._uuid}`,
      apply: (txn) => {
        log.info(`Removing iface ${iface.name} ovn-installed in OVS`);
        setEntries(txn, iface, installedKeys);
      },
    });
  }
});
