/** `dpctl/ipf-*`: what becomes of fragments before the connection tracker (ovs-vswitchd(8), "DPCTL COMMANDS"; dpctl(8)). */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import type { Fragments } from "./fragments.ts";

export function fragmentCommands(fragments: Fragments): readonly UnixctlCommand[] {
  const command = (name: string, usage: string, minArgs: number, maxArgs: number, run: UnixctlCommand["run"]): UnixctlCommand => ({ name, usage, minArgs, maxArgs, run });
  return [
    command("dpctl/ipf-get-status", "[dp] [-m | --more]", 0, 2, () => statusText(fragments)),
    command("dpctl/ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, (args) => {
      const [family = "", size = ""] = args.slice(-2);
      fragments.minSize[familyOf(family)] = sizeOf(size, "fragment size");
      return "setting minimum fragment size successful\n";
    }),
    command("dpctl/ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, (args) => {
      fragments.maxHeld = sizeOf(args.at(-1) ?? "", "max fragments value");
      return "setting maximum fragments successful\n";
    }),
  ];
}

function familyOf(text: string): 4 | 6 {
  if (text === "v4") return 4;
  if (text === "v6") return 6;
  throw new UnixctlError("parameter missing: 'v4' or 'v6'");
}

function sizeOf(text: string, what: string): number {
  const size = Number(text);
  if (!/^\d{1,9}$/.test(text) || size > 0xffff) throw new UnixctlError(`${text}: bad ${what}`);
  return size;
}

function statusText(fragments: Fragments): string {
  const family = (number: 4 | 6): string[] => {
    const { accepted, completed, expired, tooSmall, overlapping } = fragments.counters[number];
    const name = `v${number}`;
    return [
      `min ${name} frag size: ${fragments.minSize[number]}`, `${name} frags accepted: ${accepted}`, `${name} frags completed: ${completed}`,
      `${name} frags expired: ${expired}`, `${name} frags too small: ${tooSmall}`, `${name} frags overlapped: ${overlapping}`, `${name} frags purged: 0`,
    ];
  };
  const lines = ["Fragmentation Module Status", "---------------------------", "v4 enabled: 1", "v6 enabled: 1", `max num frags (v4/v6): ${fragments.maxHeld}`, `num frag: ${fragments.held}`, ...family(4), "", ...family(6)];
  return lines.map((line) => (line === "" ? "\n" : `\t${line}\n`)).join("");
}
