/**
 * Queues on the interfaces that lead to physical networks: what logical ports may send there at least and at most, by
 * qos_min_rate, qos_max_rate and qos_burst (ovn-nb(5), Logical_Switch_Port.options). The queue's number is northd's, and the
 * pipeline marks packets with it.
 */
import { rule, sameValue } from "../engine/index.ts";
import { claimOf } from "./claims.ts";
import { bridgeMappings } from "./local-datapaths.ts";
import type { Node } from "./node.ts";
import { kindOf } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Interface, OpenVswitchTransaction, OvsQos, OvsQueue, Port, PortBinding } from "./rows.ts";
import { asBoolean } from "./settings.ts";
import { WantedQueue } from "./wanted-queue.ts";

const queueDiscipline = "linux-htb";
/** 2^32 - 1 bytes a second: more the kernel's interface cannot say. */
const highestRate = "34359738360";

export const wantedQueues = rule("wanted-queues", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  const number = count(port, "qdisc_queue_id");
  const [min, max, burst] = [count(port, "qos_min_rate"), count(port, "qos_max_rate"), count(port, "qos_burst")];
  const network = port.options.get("qos_physical_network");
  if (number === 0 || network === undefined || (min === 0 && max === 0 && burst === 0) || !isHere(node, port)) return;
  const outer = uplinkOf(node, network);
  if (outer === undefined) return;
  const config = new Map([["max-rate", String(max)], ["min-rate", String(min)], ["burst", String(burst)]]);
  yield WantedQueue({ outer: outer.port, number, logicalPort: port.logical_port, config });
});

const count = (port: PortBinding, option: string): number => {
  const value = Number(port.options.get(option) ?? 0);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
};

const isHere = (node: Node, port: PortBinding): boolean =>
  (kindOf(port) === "localnet" ? node.isLocalDatapath(port.datapath) : claimOf(node, port)?.iface !== undefined);

interface Uplink {
  readonly port: Port;
  readonly iface: Interface;
}

/** The network card of the network's bridge, or what has been named as such. */
function uplinkOf(node: Node, network: string): Uplink | undefined {
  const bridge = node.bridgesByName.first(bridgeMappings(node).get(network) ?? "");
  for (const uuid of bridge?.ports ?? []) {
    const port = node.ovs.tables.Port.get(uuid);
    const iface = port && interfacesOf(node, port).find((i) => !i.external_ids.has("iface-id") && isCard(i));
    if (port !== undefined && iface !== undefined) return { port, iface };
  }
  return undefined;
}

const interfacesOf = (node: Node, port: Port): readonly Interface[] => [...port.interfaces].flatMap((uuid) => node.ovs.tables.Interface.get(uuid) ?? []);
const isCard = (iface: Interface): boolean =>
  asBoolean(iface.external_ids.get("ovn-egress-iface"), false) || iface.type === "" || iface.type === "system";

interface Change {
  readonly missing: readonly WantedQueue[];
  readonly changed: readonly (readonly [OvsQueue, WantedQueue])[];
  /** Numbers and rows of queues that nobody wants. */
  readonly stale: readonly (readonly [number, OvsQueue])[];
}

export const portQueues = rule("port-queues", (node: Node) => node.ovs.tables.Port, function* (node, port) {
  const qos = node.ovs.tables.QoS.get(port.qos);
  // Somebody else's is left alone.
  if (qos !== undefined && !asBoolean(qos.external_ids.get("ovn_qos"), false)) return;
  const wanted = [...node.wantedQueuesByPort.get(port._uuid)].sort((a, b) => a.number - b.number);
  if (qos === undefined && wanted.length === 0) return;
  const change = changeOf(node, qos, wanted, node.isGrown.get());
  const isEmptied = wanted.length === 0 && qos !== undefined && change.stale.length === qos.queues.size;
  if (!isEmptied && change.missing.length + change.changed.length + change.stale.length === 0) return;
  yield OpenVswitchRepair({
    key: `queues of ${port._uuid} ${qos?._uuid ?? ""} ${describe(change)}`,
    apply: (txn) => {
      if (isEmptied) {
        txn.update(port, { qos: undefined });
        txn.delete(qos);
      } else if (qos === undefined) txn.update(port, { qos: newDiscipline(node, txn, port, wanted) });
      else correct(txn, qos, change);
      for (const [, row] of change.stale) txn.delete(row);
      for (const [row, { config }] of change.changed) txn.update(row, { other_config: config });
    },
  });
});

/** All of it: the same wishes take another change once the queues are there. */
const describe = ({ missing, changed, stale }: Change): string =>
  JSON.stringify([missing.map(WantedQueue.keyOf), changed.map(([row, wish]) => [row._uuid, WantedQueue.keyOf(wish)]), stale.map(([number, row]) => [number, row._uuid])]);

function changeOf(node: Node, qos: OvsQos | undefined, wanted: readonly WantedQueue[], mayRemove: boolean): Change {
  const missing = new Set(wanted);
  const changed: (readonly [OvsQueue, WantedQueue])[] = [];
  const stale: (readonly [number, OvsQueue])[] = [];
  for (const [number, uuid] of qos?.queues ?? []) {
    const row = node.ovs.tables.Queue.get(uuid);
    const name = row?.external_ids.get("ovn_port");
    if (row === undefined || name === undefined) continue;
    const wish = wanted.find((w) => w.logicalPort === name && w.number === number);
    if (wish === undefined) {
      if (mayRemove) stale.push([number, row]);
      continue;
    }
    missing.delete(wish);
    if (!sameValue(row.other_config, wish.config)) changed.push([row, wish]);
  }
  return { missing: [...missing], changed, stale };
}

const insertQueue = (txn: OpenVswitchTransaction, { config, logicalPort }: WantedQueue): OvsQueue["_uuid"] =>
  txn.insert("Queue", { other_config: config, external_ids: { ovn_port: logicalPort } });

function newDiscipline(node: Node, txn: OpenVswitchTransaction, port: Port, wanted: readonly WantedQueue[]): OvsQos["_uuid"] {
  const card = interfacesOf(node, port).find(isCard);
  const driver = card?.status.get("driver_name");
  // Virtual interfaces only guess at their speed.
  const rate = driver === "veth" || driver === "tap" || card?.link_speed === undefined ? highestRate : String(card.link_speed);
  return txn.insert("QoS", {
    type: queueDiscipline, other_config: { "max-rate": rate }, external_ids: { ovn_qos: "true" },
    queues: new Map(wanted.map((w) => [w.number, insertQueue(txn, w)])),
  });
}

function correct(txn: OpenVswitchTransaction, qos: OvsQos, { missing, stale }: Change): void {
  if (stale.length > 0) txn.mutate(qos, "queues", "delete", stale.map(([number]) => number));
  if (missing.length > 0) txn.mutate(qos, "queues", "insert", new Map(missing.map((w) => [w.number, insertQueue(txn, w)])));
}
