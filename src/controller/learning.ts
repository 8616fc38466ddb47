/** What was learned from packets, written to MAC_Binding and FDB unless it stands there (ovn-sb(5)). */
import { rule, type Yield } from "../engine/index.ts";
import { formatIp, formatMac } from "../net/index.ts";
import type { LearnedAddress } from "./learning-queue.ts";
import { type Node, portKey } from "./node.ts";
import type { Pending } from "./pending.ts";
import { SouthboundRepair } from "./repairs.ts";
import type { DatapathBinding, PortBinding, SouthboundTransaction } from "./rows.ts";

interface Place {
  readonly datapath: DatapathBinding;
  readonly port: PortBinding;
}

function placeOf(node: Node, { datapathKey, portKey: key }: Omit<LearnedAddress, "mac">): Place | undefined {
  const datapath = node.datapathsByKey.first(datapathKey);
  const port = datapath && node.portsByKey.first(portKey(datapath._uuid, key));
  return datapath === undefined || port === undefined ? undefined : { datapath, port };
}

const now = (node: Node): number => Math.floor(node.host.clock.wall());

/** Said once, even if it stood there before: two chassis that hear different things would otherwise correct each other without end. */
const once = <T>(pending: Pending<T>, item: T, key: string, write: (txn: SouthboundTransaction) => void): Yield => SouthboundRepair({
  key,
  apply: (txn) => {
    if (pending.has(item)) write(txn);
  },
  written: () => pending.remove(item),
});

export const neighborWrites = rule("neighbor-writes", (node: Node) => node.learning.neighbors, function* (node, learned): Iterable<Yield> {
  const place = placeOf(node, learned);
  if (place === undefined) return;
  const [ip, mac] = [formatIp(learned.ip), formatMac(learned.mac)];
  const { logical_port } = place.port;
  const existing = [...node.macBindingsByPort.get(logical_port)].find((b) => b.ip === ip);
  const isThere = existing?.mac === mac;
  yield once(node.learning.neighbors, learned, `MAC_Binding ${logical_port} ${ip} ${mac} ${existing?._uuid ?? ""} ${isThere}`, (txn) => {
    if (existing === undefined) txn.insert("MAC_Binding", { logical_port, ip, mac, datapath: place.datapath._uuid, timestamp: now(node) });
    else if (!isThere) txn.update(existing, { mac, timestamp: now(node) });
  });
});

export const addressWrites = rule("address-writes", (node: Node) => node.learning.addresses, function* (node, learned): Iterable<Yield> {
  const mac = formatMac(learned.mac);
  const existing = [...node.fdbByAddress.get(`${learned.datapathKey} ${mac}`)][0];
  // From the physical network comes back what other chassis send out there: their own word for the address counts more.
  const isFromNetwork = placeOf(node, learned)?.port.type === "localnet";
  const stays = existing !== undefined && (existing.port_key === learned.portKey
    || (isFromNetwork && placeOf(node, { datapathKey: existing.dp_key, portKey: existing.port_key })?.port.type === ""));
  yield once(node.learning.addresses, learned, `FDB ${learned.datapathKey} ${mac} ${learned.portKey} ${existing?._uuid ?? ""} ${stays}`, (txn) => {
    if (existing === undefined) txn.insert("FDB", { dp_key: learned.datapathKey, mac, port_key: learned.portKey, timestamp: now(node) });
    else if (!stays) {
      // Another chassis may be giving its word just now.
      if (isFromNetwork) txn.verify(existing, ["port_key"]);
      txn.update(existing, { port_key: learned.portKey, timestamp: now(node) });
    }
  });
});

export const timestampWrites = rule("timestamp-writes", (node: Node) => node.learning.sightings, function* (_node, { row, at }): Iterable<Yield> {
  if (row.timestamp >= at) return;
  yield SouthboundRepair({ key: `timestamp ${row._uuid} ${at}`, apply: (txn) => txn.update(row, { timestamp: at }) });
});
