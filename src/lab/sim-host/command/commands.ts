/** The programs of a simulated host, by name. */
import { arp } from "./arp-command.ts";
import type { Command } from "./command.ts";
import { dhclient } from "./dhclient.ts";
import { ip } from "./ip-command.ts";
import { nc } from "./nc.ts";
import { ping } from "./ping.ts";
import { echo, hostname, sleep } from "./small-commands.ts";
import { sysctl } from "./sysctl.ts";
import { tcpdump } from "./tcpdump.ts";
import { traceroute } from "./traceroute.ts";

/** `ping6` is `ping -6`. */
const ping6: Command = { name: "ping6", summary: "ping6 [as ping] destination", run: (context, args) => ping.run(context, ["-6", ...args]) };

export const commands: ReadonlyMap<string, Command> = new Map([ping, ip, arp, traceroute, tcpdump, nc, dhclient, sysctl, hostname, sleep, echo, ping6].map((command) => [command.name, command]));
