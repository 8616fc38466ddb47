/** What happens to a network after it has come up: chassis claim ports, and people change their minds. */
import type { SeededRandom } from "../../src/std/index.ts";
import type { JsonValue } from "./columns.ts";
import type { Network } from "./network.ts";
import type { Dump } from "./normalize.ts";

/** Chassis claim ports, by name, so that both sides see the same. */
export function claimsOf(dump: Dump, random: SeededRandom): readonly JsonValue[] {
  const chassis = [...(dump["Chassis"] ?? [])].sort((a, b) => (String(a["name"]) < String(b["name"]) ? -1 : 1)).map((row) => row["_uuid"] as JsonValue);
  // Ports in other zones are bound by northd itself.
  const ports = [...(dump["Port_Binding"] ?? [])].filter((row) => row["type"] !== "remote").map((row) => String(row["logical_port"])).sort();
  const features: JsonValue[] = random.chance(0.2)
    ? [{ op: "mutate", table: "Chassis", where: [["name", "==", `ch${random.below(3)}`]], mutations: [["other_config", random.chance(0.5) ? "delete" : "insert", ["map", [["ct-state-save", "true"], ["ct-commit-nat-v2", "true"]]]]] }]
    : [];
  // And say of the services that they check whether they are up.
  const monitors = [...(dump["Service_Monitor"] ?? [])].map(({ logical_port, ip, port, protocol }): JsonValue => [
    ["logical_port", "==", String(logical_port)], ["ip", "==", String(ip)], ["port", "==", Number(port)], ["protocol", "==", String(protocol)],
  ]).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const checks = monitors.flatMap((where): JsonValue[] => (random.chance(0.5) ? [{ op: "update", table: "Service_Monitor", where, row: { status: random.pick(["online", "online", "offline", "error"]) } }] : []));
  return checks.concat(features, ports.flatMap((name): JsonValue[] => {
    if (!random.chance(0.4)) return [];
    const claimed = random.chance(0.8);
    return [{ op: "update", table: "Port_Binding", where: [["logical_port", "==", name]], row: { chassis: claimed ? random.pick(chassis.slice(0, 3)) : ["set", []], up: claimed } }];
  }));
}

export function changesOf(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [];
  const where = (uuid: string): JsonValue => [["_uuid", "==", ["uuid", uuid]]];
  const deleted = new Set<string>();
  const hasForeignPorts = network.nb.some(({ table, row }) => table === "Logical_Router_Port" && JSON.stringify(row["options"] ?? "").includes("requested-chassis"));
  for (const { table, uuid, row } of network.nb) {
    if (!random.chance(0.15)) continue;
    switch (table) {
      case "Logical_Switch":
      case "Logical_Router": {
        if (random.chance(0.1)) {
          operations.push({ op: "delete", table, where: where(uuid) });
          deleted.add(uuid);
          break;
        }
        const [, ports] = row["ports"] as [string, JsonValue[]];
        if (ports.length > 0 && random.chance(0.5)) operations.push({ op: "mutate", table, where: where(uuid), mutations: [["ports", "delete", random.pick(ports)]] });
        else if (table === "Logical_Switch") {
          const options = random.pick<readonly [string, string]>([["mcast_snoop", "true"], ["vlan-passthru", "true"], ["broadcast-arps-to-all-routers", "false"], ["fdb_age_threshold", "7"], ["interconn-ts", "ts9"]]);
          operations.push({ op: "mutate", table, where: where(uuid), mutations: [["other_config", random.chance(0.3) ? "delete" : "insert", ["map", [options]]]] });
        } else {
          operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
            // A port of another zone's would stay bound there.
            hasForeignPorts ? { options: ["map", []] } : { options: ["map", [["chassis", "ch1"]]] }, { options: ["map", []] }, { options: ["map", [["mcast_relay", "true"], ["dynamic_neigh_routers", "true"]]] }, { enabled: false }, { enabled: true },
          ]) });
        }
        break;
      }
      case "Logical_Switch_Port":
        operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
          { enabled: false }, { enabled: ["set", []] }, { addresses: ["set", ["unknown"]] }, { addresses: ["set", ["02:00:00:00:0f:01 10.0.0.251"]] }, { type: "" },
          { port_security: ["set", ["02:00:00:00:0f:01"]] }, { dhcpv4_options: ["set", []] },
          { external_ids: ["map", [["neutron:port_name", "other"]]] }, { name: `${String(row["name"])}-renamed` }, { ha_chassis_group: ["set", []] },
          { type: "localnet", options: ["map", [["network_name", "phys9"]]] }, { tag_request: 9 }, { parent_name: "absent" },
          // OVN's northd notes on a remote port that it has just been released, until it looks at the port once more.
          ...(row["type"] === "remote" ? [] : [{ options: ["map", [["requested-chassis", "ch1"]]] as const }, { options: ["map", []] as const }]),
        ]) });
        break;
      case "Logical_Router_Port":
        // OVN's northd leaves such a port bound to the other zone's chassis when it is no longer asked for.
        if (JSON.stringify(row["options"] ?? "").includes("requested-chassis")) break;
        operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
          { enabled: false }, { networks: ["set", [`10.${100 + operations.length}.0.254/24`, `172.${100 + operations.length}.0.1/16`]] }, { mac: "02:00:00:00:0e:01" }, { gateway_chassis: ["set", []] },
          { options: ["map", [["gateway_mtu", "1300"]]] }, { options: ["map", []] }, { options: ["map", [["redirect-type", "bridged"], ["route_table", "rtb-1"]]] },
          { ha_chassis_group: ["set", []] }, { peer: ["set", []] }, { ipv6_ra_configs: ["map", [["address_mode", "slaac"], ["send_periodic", "true"]]] }, { name: `${String(row["name"])}-renamed` },
        ]) });
        break;
      case "Logical_Router_Static_Route":
        operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
          { ip_prefix: "40.0.0.0/8" }, { policy: "src-ip" }, { options: ["map", [["ecmp_symmetric_reply", "true"]]] }, { nexthop: "discard" },
        ]) });
        break;
      case "DHCP_Options":
        operations.push({ op: "mutate", table, where: where(uuid), mutations: [["options", "insert", ["map", [["lease_time", "7200"], ["mtu", "1234"]]]]] });
        break;
      case "Port_Group": {
        const [, ports] = row["ports"] as [string, JsonValue[]];
        if (ports.length > 0) operations.push({ op: "mutate", table, where: where(uuid), mutations: [["ports", "delete", random.pick(ports)]] });
        break;
      }
      case "Address_Set":
        operations.push({ op: "update", table, where: where(uuid), row: { addresses: ["set", ["10.0.0.3"]] } });
        break;
      case "DNS":
        operations.push({ op: "update", table, where: where(uuid), row: { records: ["map", [["b.example", "10.0.0.2"]]] } });
        break;
      case "Static_MAC_Binding":
        operations.push({ op: "update", table, where: where(uuid), row: { mac: "02:00:00:00:ff:02" } });
        break;
      case "HA_Chassis":
      case "Gateway_Chassis":
        operations.push({ op: "update", table, where: where(uuid), row: { priority: 1 + random.below(9) } });
        break;
      case "Copp":
        operations.push({ op: "update", table, where: where(uuid), row: { meters: ["map", [["arp", "m1"], ["icmp4-error", "m2"]]] } });
        break;
      case "NB_Global":
        operations.push({ op: "mutate", table, where: [], mutations: [["options", "delete", ["set", ["debug_drop_collector_set"]]]] });
        break;
      default:
        break;
    }
  }
  return operations;
}

/** One more port that asks for an address, or one less, or other addresses to be given out. */
export function addressChangeOf(network: Network, random: SeededRandom, name: string): readonly JsonValue[] {
  const switches = network.nb.filter(({ table, row }) => table === "Logical_Switch" && /"(subnet|ipv6_prefix|mac_only)"/.test(JSON.stringify(row["other_config"])));
  if (switches.length === 0) return [];
  const { uuid, row } = random.pick(switches);
  const where: JsonValue = [["_uuid", "==", ["uuid", uuid]]];
  const [, ports] = row["ports"] as [string, JsonValue[]];
  const index = String(row["name"]).slice(2);
  switch (random.below(5)) {
    case 0:
      return [{ op: "mutate", table: "Logical_Switch", where, mutations: [["other_config", "delete", ["set", ["exclude_ips"]]], ["other_config", "insert", ["map", [["exclude_ips", `10.${index}.0.${2 + random.below(6)}`]]]]] }];
    case 1:
      return ports.length === 0 ? [] : [{ op: "mutate", table: "Logical_Switch", where, mutations: [["ports", "delete", random.pick(ports)]] }];
    default: {
      const addresses = random.pick(["dynamic", "dynamic", "dynamic", `02:00:00:00:0d:0${random.below(8)} dynamic`, `dynamic 10.${index}.0.${100 + network.nb.length % 50 + Number(name.slice(-1))}`, `02:00:00:00:0d:0f 10.${index}.0.${3 + random.below(4)}`]);
      return [
        { op: "insert", table: "Logical_Switch_Port", "uuid-name": "p", row: { name, addresses } },
        { op: "mutate", table: "Logical_Switch", where, mutations: [["ports", "insert", ["named-uuid", "p"]]] },
      ];
    }
  }
}
