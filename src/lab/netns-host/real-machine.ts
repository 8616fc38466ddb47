/** What a machine of this lab has of its own, beside its network: what tools write to, and who is called what. */
import type { MachineOptions } from "../../host/index.ts";
import type { TopologyHosts } from "../topology/hosts.ts";
import { dhclientFiles } from "./dhclient.ts";

/** Folders that tools write to, each machine its own. */
const ownFolders = ["/var/lib/dhcp", "/var/log/frr", "/etc/frr"];

/** `hosts`: all of the lab's, which know one another by name. */
export const realMachine = (name: string, hosts: TopologyHosts): MachineOptions => ({
  name,
  emptyFolders: ownFolders,
  files: new Map([["/etc/hosts", hostsFile(hosts)], ...dhclientFiles()]),
});

function hostsFile(hosts: TopologyHosts): string {
  const lines = [...hosts.values()].flatMap((host) => host.addresses.map((address) => `${address.split("/")[0]} ${host.name}`));
  return ["127.0.0.1 localhost", "::1 localhost", ...lines, ""].join("\n");
}
