/** `dhclient`: gets an address by DHCP or DHCPv6 now, and with -v says each step in the words of the ISC client. */
import { formatMac } from "../../../net/index.ts";
import { type Command, parseOptions } from "./command.ts";

export const dhclient: Command = {
  name: "dhclient",
  summary: "dhclient [-4|-6] [-v] [-1] [-r] [interface]",
  run: async (context, args) => {
    // Where it leaves its process number is nobody's business here, nor is what it says of itself (-i: a DUID).
    const options = parseOptions(args.filter((a) => a !== "--no-pid"), "46v1rdnxi");
    if ("unknown" in options || "needsValue" in options) {
      context.err("Usage: dhclient [-4|-6] [-v] [-1] [-r] [interface]\n");
      return 1;
    }
    const { flags, words } = options;
    const { host } = context;
    const [device = host.device.name] = words;
    const on = host.ip.devices.get(device);
    if (on === undefined || (flags.has("6") && on !== host.device)) {
      context.err(`Cannot find device "${device}"\n`);
      return 1;
    }
    const say = (line: string): void => {
      if (flags.has("v")) context.err(`${line}\n`);
    };
    host.listenToDhcp(say);
    if (!flags.has("6")) {
      say(`Listening on LPF/${device}/${formatMac(on.mac)}`);
      say(`Sending on   LPF/${device}/${formatMac(on.mac)}`);
      say("Sending on   Socket/fallback");
    }
    let isBound = true;
    if (flags.has("r")) host.dhcpv4On(on).release();
    else {
      const client = flags.has("6") ? host.dhcpv6 : host.dhcpv4On(on);
      context.onInterrupt(() => client.stop());
      isBound = (await client.start()) !== undefined;
      context.onInterrupt(undefined);
    }
    host.listenToDhcp(undefined);
    return isBound ? 0 : 2;
  },
};
