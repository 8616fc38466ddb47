/**
 * Listens to IGMP and MLD on the switches that want it, passes on what it has heard, asks where there is a querier, and tells
 * the southbound database who listens (ovn-sb(5), tables IP_Multicast and IGMP_Group).
 */
import type { Sink } from "../../engine/index.ts";
import type { Host, Timer } from "../../host/index.ts";
import { openflowTables, outputInit } from "../../logical/index.ts";
import { type Action, ports } from "../../openflow/index.ts";
import { ipProtocol, isChecksumRight, isIcmpv6Intact, parseIcmpv6, parseIgmp, parseMld } from "../../packet/index.ts";
import { datapathField, inportField, load, outportField, setFlag } from "../flow.ts";
import { type Arrival, datapathKeyOf, register } from "../packet-in/arrival.ts";
import { type IpHeaders, upperLayer } from "../packet-in/headers.ts";
import { Pending } from "../pending.ts";
import { Memberships, type SnoopedProtocol } from "./memberships.ts";
import { igmpQuery, mldQuery } from "./queries.ts";
import type { SnoopedSwitch } from "./snooped-switch.ts";

/** What IGMP_Group ought to say of a group here. */
export interface HeardGroup {
  readonly datapath: SnoopedSwitch["datapath"];
  /** Or `mrouters`. */
  readonly address: string;
  readonly protocol: SnoopedProtocol | "";
  readonly portKeys: ReadonlySet<number>;
}

export const routersAddress = "mrouters";

/** Multicast groups that every switch has under these keys. */
const multicastKeys = { flood: 0x8000, routerFlood: 0x8002, floodL2: 0x8004 } as const;

interface Watch {
  config: SnoopedSwitch;
  readonly memberships: Memberships;
  heard: Map<string, HeardGroup>;
  expiry: Timer | undefined;
  query: Timer | undefined;
}

const keyOf = ({ datapath }: SnoopedSwitch): string => datapath._uuid;

export class Snooping implements Sink<SnoopedSwitch> {
  /** For the rules that write IGMP_Group. */
  readonly groups = new Pending<HeardGroup>("heard groups");
  readonly #host: Host;
  readonly #changed: () => void;
  readonly #watches = new Map<string, Watch>();
  #send: (packet: Uint8Array, actions: readonly Action[]) => void = () => {};

  constructor(host: Host, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  /** How packets go out. */
  onSend(send: (packet: Uint8Array, actions: readonly Action[]) => void): void {
    this.#send = send;
  }

  added(config: SnoopedSwitch): void {
    let watch = this.#watches.get(keyOf(config));
    if (watch === undefined) {
      watch = { config, memberships: new Memberships(config.tableSize, config.idleMs), heard: new Map(), expiry: undefined, query: undefined };
      this.#watches.set(keyOf(config), watch);
    } else {
      if (watch.config.sequence !== config.sequence) watch.memberships.clear();
      watch.config = config;
      watch.memberships.maxGroups = config.tableSize;
      watch.memberships.idleMs = config.idleMs;
    }
    this.#tell(watch);
    watch.query?.cancel();
    watch.query = undefined;
    if (config.querier !== undefined) this.#query(watch, 0);
  }

  removed(config: SnoopedSwitch): void {
    const watch = this.#watches.get(keyOf(config));
    if (watch === undefined || watch.config !== config) return;
    this.#watches.delete(keyOf(config));
    watch.expiry?.cancel();
    watch.query?.cancel();
    for (const group of watch.heard.values()) this.groups.remove(group);
  }

  stop(): void {
    for (const { expiry, query } of this.#watches.values()) {
      expiry?.cancel();
      query?.cancel();
    }
  }

  received(arrival: Arrival): void {
    const { ip } = arrival.headers;
    const key = datapathKeyOf(arrival);
    const watch = [...this.#watches.values()].find(({ config }) => config.datapath.tunnel_key === key);
    if (ip === undefined || watch === undefined) return;
    const port = register(arrival, "reg14");
    const told = ip.family === 4 ? this.#heardIgmp(arrival, ip, watch, port) : this.#heardMld(arrival, ip, watch, port);
    if (told === undefined) return;
    // Reports are for the routers, queries for all but those.
    this.#send(arrival.packetIn.packet, [
      load(datapathField, key), load(inportField, port), load(outportField, told === "report" ? multicastKeys.routerFlood : multicastKeys.floodL2),
      setFlag("igmpSnoopInject"), { kind: "resubmit", port: ports.controller, table: outputInit },
    ]);
    this.#tell(watch);
    this.#changed();
  }

  #heardIgmp({ headers, log }: Arrival, ip: IpHeaders, watch: Watch, port: number): "report" | "query" | undefined {
    const bytes = ip.protocol === ipProtocol.igmp ? upperLayer(headers, ip) : undefined;
    const message = bytes && parseIgmp(bytes);
    if (bytes === undefined || message === undefined) return undefined;
    if (!isChecksumRight(bytes)) {
      log.warn("multicast snooping received bad IGMP checksum");
      return undefined;
    }
    watch.memberships.heardIgmp(message, port, this.#host.clock.now());
    return message.kind === "query" || message.kind === "query3" ? "query" : "report";
  }

  #heardMld({ headers, log }: Arrival, ip: IpHeaders, watch: Watch, port: number): "report" | "query" | undefined {
    if (ip.family !== 6 || ip.protocol !== ipProtocol.icmpv6) return undefined;
    const bytes = upperLayer(headers, ip);
    const icmp = parseIcmpv6(bytes);
    const message = icmp && parseMld(icmp.type, icmp.body);
    if (icmp === undefined || message === undefined) return undefined;
    if (!isIcmpv6Intact(bytes, ip.src, ip.dst)) {
      log.warn("multicast snooping received bad MLD checksum");
      return undefined;
    }
    watch.memberships.heardMld(message, ip.src, port, this.#host.clock.now());
    return message.kind === "query" || message.kind === "query2" ? "query" : "report";
  }

  /** Brings what the rules see to what has been heard, and waits for the next that falls silent. */
  #tell(watch: Watch): void {
    const { memberships, config: { datapath } } = watch;
    memberships.expire(this.#host.clock.now());
    const heard = new Map<string, HeardGroup>();
    const add = (address: string, protocol: SnoopedProtocol | "", keys: Iterable<number>): void => {
      const portKeys = new Set(keys);
      const before = watch.heard.get(address);
      const isSame = before !== undefined && before.protocol === protocol && before.datapath === datapath && sameKeys(before.portKeys, portKeys);
      heard.set(address, isSame ? before : { datapath, address, protocol, portKeys });
    };
    for (const [address, { protocol, expiresAt }] of memberships.groups) add(address, protocol, expiresAt.keys());
    add(routersAddress, "", memberships.routerPorts);
    for (const [address, group] of heard) if (watch.heard.get(address) !== group) this.groups.add(group);
    for (const [address, group] of watch.heard) if (heard.get(address) !== group) this.groups.remove(group);
    watch.heard = heard;
    watch.expiry?.cancel();
    const next = memberships.nextExpiry;
    watch.expiry = next === undefined ? undefined : this.#host.clock.after(Math.max(0, next - this.#host.clock.now()), () => {
      this.#tell(watch);
      this.#changed();
    });
  }

  #query(watch: Watch, delayMs: number): void {
    watch.query = this.#host.clock.after(delayMs, () => {
      const { querier, queryMaxResponseSeconds: seconds, queryIntervalMs, datapath } = watch.config;
      if (querier === undefined) return;
      const actions: readonly Action[] = [
        load(datapathField, datapath.tunnel_key), load(outportField, multicastKeys.flood), setFlag("localOnly"),
        { kind: "resubmit", port: ports.controller, table: openflowTables.localOutput },
      ];
      if (querier.ip4 !== undefined) this.#send(igmpQuery(querier.mac, querier.ip4, seconds), actions);
      if (querier.ip6 !== undefined) this.#send(mldQuery(querier.mac, querier.ip6, seconds), actions);
      this.#query(watch, queryIntervalMs);
    });
  }
}

const sameKeys = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean => a.size === b.size && [...a].every((key) => b.has(key));
