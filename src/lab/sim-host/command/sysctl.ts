/** `sysctl`: the settings of a machine's network stack that make a difference here, under the kernel's names. */
import type { HostServices } from "../host-services.ts";
import { type Command, parseOptions } from "./command.ts";

interface Setting {
  readonly name: string;
  readonly read: () => number;
  readonly write: (value: number) => void;
}

/** `net.ipv4.conf.br-ex.proxy_arp`, `net/ipv4/conf/br-ex/proxy_arp`: dots, or slashes where a device's name has a dot. */
function settingsOf(host: HostServices): Setting[] {
  const { settings, devices } = host.ip;
  const isOn = (value: boolean): number => (value ? 1 : 0);
  const settingList: Setting[] = [
    { name: "net.ipv4.ip_forward", read: () => isOn(settings.forwards), write: (value) => void (settings.forwards = value !== 0) },
    { name: "net.ipv6.conf.all.forwarding", read: () => isOn(settings.forwards), write: (value) => void (settings.forwards = value !== 0) },
    { name: "net.ipv4.ip_default_ttl", read: () => settings.defaultTtl, write: (value) => void (settings.defaultTtl = Math.min(255, Math.max(1, value))) },
    { name: "net.ipv4.fib_multipath_hash_seed", read: () => settings.hashSeed, write: (value) => void (settings.hashSeed = value >>> 0) },
    // What stands behind a 5-tuple hash; nothing else is built.
    { name: "net.ipv4.fib_multipath_hash_policy", read: () => 1, write: () => undefined },
  ];
  for (const device of devices.values()) {
    settingList.push({ name: `net.ipv4.conf.${device.name}.proxy_arp`, read: () => isOn(device.answersForOthers), write: (value) => void (device.answersForOthers = value !== 0) });
  }
  return settingList;
}

/** Sets `name`; the reason why not, in sysctl's words, if it cannot. */
export function setSysctl(host: HostServices, name: string, value: string): string | undefined {
  const dotted = name.replaceAll("/", ".");
  if (dotted === "net.ipv4.fib_multipath_hash_policy" && value !== "1") return `sysctl: setting key "${dotted}": Invalid argument (a simulated machine hashes flows by their 5-tuple: 1)`;
  const setting = settingsOf(host).find((s) => s.name === dotted);
  if (setting === undefined) return `sysctl: cannot stat /proc/sys/${dotted.replaceAll(".", "/")}: No such file or directory`;
  if (!/^\d{1,10}$/.test(value)) return `sysctl: setting key "${dotted}": Invalid argument`;
  setting.write(Number(value));
  return undefined;
}

export const sysctl: Command = {
  name: "sysctl",
  summary: "sysctl [-a] [-n] [-w] name[=value] ...",
  run: (context, args) => {
    const options = parseOptions(args, "anqw");
    if ("unknown" in options || "needsValue" in options) {
      context.err("Usage:\n sysctl [options] [variable[=value] ...]\n");
      return Promise.resolve(1);
    }
    let code = 0;
    const fail = (text: string): void => {
      context.err(`${text}\n`);
      code = 255;
    };
    const list = settingsOf(context.host);
    const show = (name: string, value: number): void => context.out(options.flags.has("n") ? `${value}\n` : `${name} = ${value}\n`);
    if (options.flags.has("a")) for (const { name, read } of list.sort((a, b) => (a.name < b.name ? -1 : 1))) show(name, read());
    for (const word of options.words) {
      const at = word.indexOf("=");
      const name = (at < 0 ? word : word.slice(0, at)).trim().replaceAll("/", ".");
      const wrong = at < 0 ? undefined : setSysctl(context.host, name, word.slice(at + 1).trim());
      const setting = settingsOf(context.host).find((s) => s.name === name);
      if (wrong !== undefined) fail(wrong);
      else if (setting === undefined) fail(`sysctl: cannot stat /proc/sys/${name.replaceAll(".", "/")}: No such file or directory`);
      else if (!options.flags.has("q")) show(name, setting.read());
    }
    return Promise.resolve(code);
  },
};
