/** `arp`: the neighbors of IPv4, as net-tools print them. */
import { formatIp, formatMac } from "../../../net/index.ts";
import type { Command } from "./command.ts";

export const arp: Command = {
  name: "arp",
  summary: "arp [-n] [-a]",
  run: (context, args) => {
    const { host } = context;
    const list = [...host.ip.devices.values()].flatMap((device) => device.neighbors.list().map((n) => ({ ...n, device: device.name }))).filter((n) => n.ip.family === 4);
    if (args.includes("-a")) {
      for (const n of list) context.out(`? (${formatIp(n.ip)}) at ${n.mac === undefined ? "<incomplete>" : `${formatMac(n.mac)} [ether]`} on ${n.device}\n`);
      return Promise.resolve(0);
    }
    if (list.length > 0) context.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n");
    for (const n of list) {
      const hardware = n.mac === undefined ? "        (incomplete)                           " : `${"ether".padEnd(8)}${formatMac(n.mac).padEnd(20)}${"C".padEnd(22)}`;
      context.out(`${formatIp(n.ip).padEnd(25)}${hardware}${n.device}\n`);
    }
    return Promise.resolve(0);
  },
};
