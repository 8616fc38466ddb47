/** Asks for the prefixes that are wanted here, and hears the answers (action handle_dhcpv6_reply). */
import type { Sink } from "../../engine/index.ts";
import type { Host, Timer } from "../../host/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { ipv6Of, macOf, writeMac } from "../../net/index.ts";
import { type Action, ports } from "../../openflow/index.ts";
import {
  type Dhcpv6, emitDhcpv6, ethernetFrame, etherType, ipProtocol, ipv6Packet, parseDhcpv6, parseUdp, sizeofDhcpv6, udpDatagram, udpSize,
} from "../../packet/index.ts";
import type { StateByRow } from "../monitors/state-by-row.ts";
import type { Arrival } from "../packet-in/arrival.ts";
import { upperLayer } from "../packet-in/headers.ts";
import { type DelegatedPrefix, parseDelegated, PrefixClient } from "./prefix-client.ts";
import { comesFrom, delegatedKey, type WantedPrefix } from "./wanted-prefixes.ts";

const clientPort = 546;
const serverPort = 547;
/** ff02::1:2. */
const allServers = { mac: macOf(0x333300010002), ip: ipv6Of((0xff02n << 112n) | 0x10002n) };
/** Timers know no longer times; whoever wakes too early goes back to sleep. */
const longestSleepMs = 24 * 3600 * 1000;

interface Asking {
  wanted: WantedPrefix;
  readonly client: PrefixClient;
  timer: Timer | undefined;
}

export class PrefixDelegation implements Sink<WantedPrefix> {
  readonly #host: Host;
  readonly #states: StateByRow<DelegatedPrefix>;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #changed: () => void;
  readonly #asking = new Map<string, Asking>();

  constructor(host: Host, states: StateByRow<DelegatedPrefix>, send: (packet: Uint8Array, actions: readonly Action[]) => void, changed: () => void) {
    this.#host = host;
    this.#states = states;
    this.#send = send;
    this.#changed = changed;
  }

  added(wanted: WantedPrefix): void {
    const { port, mac } = wanted;
    const known = this.#asking.get(port._uuid);
    if (known !== undefined && known.wanted.mac === mac) {
      known.wanted = wanted;
      return;
    }
    known?.timer?.cancel();
    const identity = new Uint8Array(6);
    writeMac(mac, identity, 0);
    const { clock, random } = this.#host;
    const client = new PrefixClient(identity, parseDelegated(port.options.get(delegatedKey) ?? ""), () => random.next32(), clock.now());
    const asking: Asking = { wanted, client, timer: undefined };
    this.#asking.set(port._uuid, asking);
    this.#arrange(asking);
  }

  removed(wanted: WantedPrefix): void {
    const { _uuid: row } = wanted.port;
    const known = this.#asking.get(row);
    if (known?.wanted !== wanted) return;
    known.timer?.cancel();
    this.#asking.delete(row);
    this.#states.forget(row);
  }

  stop(): void {
    for (const { timer } of this.#asking.values()) timer?.cancel();
  }

  received({ headers }: Arrival): void {
    const { ip } = headers;
    const upper = ip?.family === 6 && ip.protocol === ipProtocol.udp ? upperLayer(headers, ip) : undefined;
    const size = upper && parseUdp(upper)?.size;
    const message = upper && parseDhcpv6(upper.subarray(udpSize, size));
    if (ip?.family !== 6 || message === undefined) return;
    for (const asking of this.#asking.values()) {
      const { mac, ip: own } = asking.wanted.uplink;
      if (own !== ip.dst || mac !== headers.dst) continue;
      const outcome = asking.client.receive(message, this.#host.clock.now());
      if (outcome === undefined) continue;
      if (outcome.answer !== undefined) this.#transmit(asking, outcome.answer);
      this.#report(asking);
      this.#arrange(asking);
      return;
    }
  }

  #report({ wanted: { port }, client }: Asking): void {
    if (client.held === undefined) return;
    this.#states.set(port._uuid, client.held);
    this.#changed();
  }

  #arrange(asking: Asking): void {
    asking.timer?.cancel();
    const { clock } = this.#host;
    asking.timer = clock.after(Math.min(longestSleepMs, Math.max(0, asking.client.wakesMs - clock.now())), () => {
      const message = asking.client.run(clock.now());
      if (message !== undefined) this.#transmit(asking, message);
      this.#arrange(asking);
    });
  }

  #transmit({ wanted: { uplink } }: Asking, message: Dhcpv6): void {
    const payload = new Uint8Array(sizeofDhcpv6(message));
    emitDhcpv6(message, payload);
    const datagram = udpDatagram({ family: 6, address: uplink.ip }, { family: 6, address: allServers.ip }, clientPort, serverPort, payload);
    const packet = ipv6Packet({ src: uplink.ip, dst: allServers.ip, nextHeader: ipProtocol.udp, hopLimit: 255 }, datagram);
    this.#send(ethernetFrame({ src: uplink.mac, dst: allServers.mac }, etherType.ipv6, packet), [
      ...comesFrom(uplink), { kind: "resubmit", port: ports.controller, table: openflowTables.logIngressPipeline },
    ]);
  }
}
