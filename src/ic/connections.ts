/**
 * The databases of one ovn-ic: four, and the IC southbound one twice. One connection to it asks for the lock `ovn_ic_sb`, and
 * only its holder among all zones makes transit datapaths, of which two zones would make two; the other connection asks for
 * no lock and carries what each zone writes of itself. The lock `ovn_ic` on the zone's own southbound database says which of
 * several ovn-ic of one zone is at work.
 */
import type { Host } from "../host/index.ts";
import { openReplica, type Replica } from "../ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, southbound } from "../schemas/index.ts";
import type { Replicas } from "./zone.ts";

export interface IcRemotes {
  readonly nb: string;
  readonly sb: string;
  readonly icNb: string;
  readonly icSb: string;
}

export interface Connections extends Replicas {
  /** Transit datapaths and ports without a chassis, under the lock. */
  readonly leader: Replica<typeof icSouthbound>;
}

export const zoneLock = "ovn_ic";
export const leaderLock = "ovn_ic_sb";

export function connect(host: Host, remotes: IcRemotes, changed: () => void): Connections {
  return {
    nb: openReplica(host, northbound, remotes.nb, {
      changed,
      monitor: {
        NB_Global: { columns: ["name", "options"] },
        Logical_Router: { columns: ["name", "static_routes", "ports", "options", "external_ids", "enabled", "load_balancer", "load_balancer_group"] },
        Logical_Router_Port: { columns: ["name", "mac", "networks", "external_ids", "options"] },
        Logical_Router_Static_Route: { columns: ["route_table", "ip_prefix", "nexthop", "external_ids", "options", "policy"] },
        Logical_Switch: { columns: ["name", "ports", "other_config", "external_ids"] },
        Logical_Switch_Port: { columns: ["name", "addresses", "options", "type", "up", "enabled", "external_ids", "peer"] },
        Load_Balancer: { columns: ["vips"] },
        Load_Balancer_Group: { columns: ["load_balancer"] },
        Address_Set: true,
      },
    }),
    sb: openReplica(host, southbound, remotes.sb, {
      changed, lock: zoneLock,
      monitor: {
        SB_Global: { columns: ["options"] },
        Chassis: { columns: ["name", "hostname", "encaps", "other_config"] },
        Encap: { columns: ["chassis_name", "type", "ip", "options"] },
        Datapath_Binding: { columns: ["type", "external_ids", "nb_uuid"] },
        Port_Binding: { columns: ["datapath", "mac", "options", "logical_port", "external_ids", "chassis", "type", "up"] },
        Learned_Route: { columns: ["ip_prefix", "datapath"] },
        Address_Set: true,
        Service_Monitor: {
          columns: ["type", "ip", "protocol", "port", "logical_port", "src_mac", "src_ip", "chassis_name", "status", "ic_learned", "remote", "options"],
        },
      },
    }),
    icNb: openReplica(host, icNorthbound, remotes.icNb, {
      changed, monitor: { IC_NB_Global: { columns: ["nb_ic_cfg", "sb_ic_cfg", "options"] }, Transit_Switch: true, Transit_Switch_Port: true, Transit_Router: true, Transit_Router_Port: true },
    }),
    icSb: openReplica(host, icSouthbound, remotes.icSb, {
      changed,
      monitor: {
        IC_SB_Global: { columns: ["nb_ic_cfg"] }, Availability_Zone: true, Gateway: true, Encap: true, Datapath_Binding: true, Port_Binding: true, Route: true,
        Address_Set: true, Service_Monitor: true,
      },
    }),
    leader: openReplica(host, icSouthbound, remotes.icSb, { changed, lock: leaderLock, monitor: { Datapath_Binding: true, Port_Binding: true } }),
  };
}

export const allOf = ({ nb, sb, icNb, icSb, leader }: Connections) => [nb, sb, icNb, icSb, leader] as const;
