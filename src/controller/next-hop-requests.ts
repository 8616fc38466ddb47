/**
 * Next hops of routes with symmetric replies (table ECMP_Nexthop) are asked for at growing intervals: their answers go where they
 * came from without anybody having resolved the address, and only who knows its MAC address notices that it has become another
 * one (external_ids:arp-nd-max-timeout-sec; 0: once, then never again).
 */
import { relation, rule, type Sink } from "../engine/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { formatIp, type Ip, type Mac, parseIp } from "../net/index.ts";
import type { Action } from "../openflow/index.ts";
import { outOf, requestFrame } from "./neighbor-probe.ts";
import type { Node } from "./node.ts";
import { bareIp, portAddresses } from "./port-addresses.ts";
import { datapathOf, ourChassis } from "./ports.ts";
import { setting } from "./settings.ts";

export interface NextHopRequest {
  readonly datapathKey: number;
  readonly portKey: number;
  readonly mac: Mac;
  readonly local: Ip;
  readonly target: Ip;
  /** The longest pause; 0: there is no second time. */
  readonly longestMs: number;
}

export const NextHopRequest = relation<NextHopRequest>("NextHopRequest", (r) =>
  [r.datapathKey, r.portKey, r.mac, formatIp(r.local), formatIp(r.target), r.longestMs].join(" "));

const defaultLongest = "16";

export const nextHopRequests = rule("next-hop-requests", (node: Node) => node.sb.tables.ECMP_Nexthop, function* (node, hop) {
  const port = node.sb.tables.Port_Binding.get(hop.port);
  const own = ourChassis(node)?._uuid;
  const datapath = port && datapathOf(node, port);
  const target = parseIp(hop.nexthop);
  if (own === undefined || port?.type !== "l3gateway" || port.chassis !== own || datapath === undefined || target === undefined) return;
  const [addresses] = portAddresses(port.mac);
  const local = addresses?.ips.find(({ family }) => family === target.family);
  if (addresses === undefined || local === undefined) return;
  const longest = Number(setting(node, "arp-nd-max-timeout-sec") ?? defaultLongest);
  yield NextHopRequest({
    datapathKey: datapath.tunnel_key, portKey: port.tunnel_key, mac: addresses.mac, local: bareIp(local), target,
    longestMs: 1000 * (Number.isInteger(longest) && longest >= 0 ? longest : Number(defaultLongest)),
  });
});

const firstPauseMs = 1000;

export class NextHopAsker implements Sink<NextHopRequest> {
  readonly #host: Host;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #timers = new Map<NextHopRequest, Timer>();

  constructor(host: Host, send: (packet: Uint8Array, actions: readonly Action[]) => void) {
    this.#host = host;
    this.#send = send;
  }

  added(request: NextHopRequest): void {
    this.#wait(request, firstPauseMs, firstPauseMs);
  }

  removed(request: NextHopRequest): void {
    this.#timers.get(request)?.cancel();
    this.#timers.delete(request);
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #wait(request: NextHopRequest, pauseMs: number, nextPauseMs: number): void {
    this.#timers.set(request, this.#host.clock.after(pauseMs, () => {
      const { datapathKey, portKey, mac, local, target, longestMs } = request;
      const frame = requestFrame(mac, undefined, local, target);
      if (frame !== undefined) this.#send(frame, outOf(datapathKey, portKey));
      if (longestMs > 0) this.#wait(request, nextPauseMs, Math.min(longestMs, 2 * nextPauseMs));
    }));
  }
}
