/**
 * Connections that the switch tracks and is to forget when their reason goes: those of a load balancer's server
 * (options:ct_flush), of a next hop that was remembered for answers (table ECMP_Nexthop), of an ACL (table ACL_ID).
 */
import { relation, rule, type Sink } from "../engine/index.ts";
import type { Log } from "../host/index.ts";
import { formatIp, type Ip, parseMac } from "../net/index.ts";
import type { CtFlush, CtTuple } from "../openflow/index.ts";
import { type Endpoint, isOnLocalDatapath, transportOf, transports, vipsOf } from "./load-balancers.ts";
import type { Node } from "./node.ts";
import { zoneName } from "./physical/zones.ts";
import { asBoolean } from "./settings.ts";

interface TrackedConnections {
  /** What to tell the switch when they are to be forgotten. */
  readonly flush: CtFlush;
  /** For the log. */
  readonly text: string;
}

export const TrackedConnections = relation<TrackedConnections>("TrackedConnections", ({ text }) => text);

const wide = (ip: Ip): bigint => BigInt(ip.address);
const portIf = (name: "sourcePort" | "destinationPort", port: number): CtTuple => (port === 0 ? {} : { [name]: port });

export const balancedConnections = rule("balanced-connections", (node: Node) => node.sb.tables.Load_Balancer, function* (node, balancer) {
  if (!asBoolean(balancer.options.get("ct_flush"), false) || !isOnLocalDatapath(node, balancer)) return;
  for (const vip of vipsOf(node, balancer)) {
    const protocol = vip.port === 0 ? 0 : transports[transportOf(balancer)];
    for (const backend of vip.backends) {
      yield TrackedConnections({
        text: `5-tuple: vip=${bare(vip)}, backend=${bare(backend)}, protocol=${protocol}`,
        flush: {
          kind: "ct_flush", family: vip.address.family, protocol,
          original: { destination: wide(ipOf(vip)), ...portIf("destinationPort", vip.port) },
          reply: { source: wide(ipOf(backend)), ...portIf("sourcePort", backend.port) },
        },
      });
    }
  }
});

function ipOf({ address }: Endpoint): Ip {
  return address.family === 4 ? { family: 4, address: address.ip } : { family: 6, address: address.ip };
}
const bare = (endpoint: Endpoint): string => `${formatIp(ipOf(endpoint))}:${endpoint.port}`;

/** ct_label.ecmp_reply_eth: the MAC address that answers are sent to. */
const ecmpShift = 32n;
const macMask = 0xffffffffffffn;

export const ecmpConnections = rule("ecmp-connections", (node: Node) => node.sb.tables.ECMP_Nexthop, function* (node, hop) {
  const datapath = node.isLocalDatapath(hop.datapath) ? node.sb.tables.Datapath_Binding.get(hop.datapath) : undefined;
  const name = datapath && zoneName(datapath, "dnat");
  const mac = parseMac(hop.mac);
  const zone = name === undefined ? 0 : node.zones.zoneOf(name);
  if (mac === undefined || zone === 0) return;
  yield TrackedConnections({
    text: `next hop ${hop.nexthop} ${hop.mac} in zone ${zone}`,
    flush: {
      kind: "ct_flush", zone, family: 0, protocol: 0, original: {}, reply: {}, labels: { value: BigInt(mac) << ecmpShift, mask: macMask << ecmpShift },
    },
  });
});

/** ct_label.acl_id. */
const aclShift = 80n;
const aclMask = 0xffffn;

export const aclConnections = rule("acl-connections", (node: Node) => node.sb.tables.ACL_ID, function* (_node, { id }) {
  yield TrackedConnections({
    text: `ACL id ${id}`,
    flush: { kind: "ct_flush", family: 0, protocol: 0, original: {}, reply: {}, labels: { value: BigInt(id) << aclShift, mask: aclMask << aclShift } },
  });
});

/** Which of them have gone since the switch was last told. */
export class ConnectionFlushes implements Sink<TrackedConnections> {
  readonly #log: Log;
  readonly #gone = new Map<string, TrackedConnections>();

  constructor(log: Log) {
    this.#log = log.module("ofctrl");
  }

  added({ text }: TrackedConnections): void {
    this.#gone.delete(text);
  }

  removed(connections: TrackedConnections): void {
    this.#gone.set(connections.text, connections);
  }

  get hasChanges(): boolean {
    return this.#gone.size > 0;
  }

  take(): readonly CtFlush[] {
    const gone = [...this.#gone.values()];
    this.#gone.clear();
    for (const { text } of gone) this.#log.dbg(() => `Flushing CT for ${text}`);
    return gone.map(({ flush }) => flush);
  }
}
