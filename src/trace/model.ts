/**
 * What a trace knows of the southbound database: datapaths with their flows, ports, multicast groups, addresses learned.
 * Plain data, so that a trace can be run over anything that gives it.
 */
import type { Ipv4, Ipv6, Mac } from "../net/index.ts";
import type { IntegerConstant, OptionTable, Pipeline } from "../logical/index.ts";

export interface TraceModel {
  /** By southbound UUID. */
  readonly datapaths: ReadonlyMap<string, TraceDatapath>;
  /** By Port_Binding.logical_port. */
  readonly ports: ReadonlyMap<string, TracePort>;
  /** The addresses of `$name`; undefined if there is no such set. */
  addressSet(name: string): readonly IntegerConstant[] | undefined;
  /** The ports of a southbound Port_Group: `KEY_NAME`. */
  portGroup(name: string): readonly string[] | undefined;
  readonly dhcpOptions: OptionTable;
  readonly dhcpv6Options: OptionTable;
  /** Load balancers' virtual addresses, as written: `10.0.0.1:80`. */
  readonly vips: readonly string[];
}

export interface TraceDatapath {
  readonly uuid: string;
  readonly northboundUuid: string;
  readonly name: string;
  readonly name2: string | undefined;
  readonly friendlyName: string;
  readonly tunnelKey: number;
  readonly groups: readonly MulticastGroup[];
  /** By tunnel key. */
  readonly portsByKey: ReadonlyMap<number, TracePort>;
  /** Highest priority first. */
  flows(pipeline: Pipeline, table: number): readonly TraceFlow[];
  /** The MAC of an address behind a port; IPv4 addresses as `::ffff:a.b.c.d`. */
  macBinding(port: number, ip: bigint): readonly Mac[];
  /** The key of the port behind which a MAC was last seen. */
  fdb(mac: bigint): number | undefined;
  readonly hasLocalGateway: boolean;
  /** Of a transit switch, which every zone has: its name in the interconnection databases. */
  readonly transitSwitch: string | undefined;
}

export interface TracePort {
  readonly datapath: TraceDatapath;
  readonly uuid: string;
  readonly name: string;
  readonly name2: string | undefined;
  readonly friendlyName: string;
  /** Port_Binding.type: "" for a plain port, "patch", "remote", "chassisredirect" ... */
  readonly type: string;
  readonly tunnelKey: number;
  /** The other end of a patch or gateway port. */
  readonly peer: TracePort | undefined;
  /** Of a chassisredirect port: the distributed port it stands for. */
  readonly distributedPort: TracePort | undefined;
  readonly portSecurity: readonly PortSecurity[];
}

export interface PortSecurity {
  readonly mac: Mac;
  readonly ipv4s: readonly Ipv4[];
  readonly ipv6s: readonly Ipv6[];
}

export interface MulticastGroup {
  readonly name: string;
  readonly tunnelKey: number;
  /** By name. */
  readonly ports: readonly TracePort[];
}

/** A row of Logical_Flow. */
export interface TraceFlow {
  readonly uuid: string;
  readonly pipeline: Pipeline;
  readonly table: number;
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
  readonly stageName: string | undefined;
  readonly source: string | undefined;
}

/** IPv4 addresses as IPv6 ones, so that both can be keys of one table. */
export const mappedIpv4 = (ip: bigint): bigint => 0xffff00000000n | ip;
