/** What a machine that holds switches can say of them: `brctl show`, `brctl showmacs data`, and `showmacs data` for short; `virsh domiflist`, `tcpdump`. */
import { type LearningBridge, showBridges, showMacs } from "../../fabric/index.ts";
import { type Command, type CommandContext, type TapDevice, tcpdumpOn } from "../sim-host/index.ts";
import type { Underlay } from "../topology/underlay.ts";

export function bridgeCommands(bridges: ReadonlyMap<string, LearningBridge>, underlay: Underlay): ReadonlyMap<string, Command> {
  const named = (context: CommandContext, name: string | undefined): LearningBridge | undefined => {
    const bridge = name === undefined ? undefined : bridges.get(name);
    if (bridge === undefined) context.err(name === undefined ? "Incorrect number of arguments for command\n" : `bridge ${name} does not exist!\n`);
    return bridge;
  };
  const macs = (context: CommandContext, name: string | undefined): number => {
    const bridge = named(context, name);
    if (bridge === undefined) return 1;
    context.out(showMacs(bridge));
    return 0;
  };
  const show = (context: CommandContext, name: string | undefined): number => {
    const bridge = name === undefined ? undefined : named(context, name);
    if (name !== undefined && bridge === undefined) return 1;
    context.out(showBridges(bridge === undefined ? bridges.values() : [bridge]));
    return 0;
  };
  const brctl: Command = {
    name: "brctl",
    summary: "brctl show [bridge] | showmacs bridge",
    run: (context, [verb, name]) => {
      if (verb === "show") return Promise.resolve(show(context, name));
      if (verb === "showmacs") return Promise.resolve(macs(context, name));
      context.err(`never heard of command [${verb ?? ""}]\nUsage: brctl show [bridge] | showmacs bridge\n`);
      return Promise.resolve(1);
    },
  };
  const showmacs: Command = { name: "showmacs", summary: "showmacs bridge", run: (context, [name]) => Promise.resolve(macs(context, name)) };
  return new Map([brctl, showmacs, virsh(bridges, underlay), tcpdumpOn(tapOf(bridges))].map((command) => [command.name, command]));
}

/** A bridge shows all that comes into it; the machine's other devices what passes them. */
const tapOf = (bridges: ReadonlyMap<string, LearningBridge>): TapDevice => ({ host }, name, see) =>
  bridges.get(name)?.tap((frame) => see(frame, "in")) ?? host.ip.devices.get(name)?.tap(see);

/** The cards of a virtual machine, and where the other ends of their cables are. */
function virsh(bridges: ReadonlyMap<string, LearningBridge>, underlay: Underlay): Command {
  return {
    name: "virsh",
    summary: "virsh domiflist machine",
    run: (context, [verb, name = ""]) => {
      const machine = underlay.machines.get(name);
      if (verb !== "domiflist" || machine === undefined) {
        context.err(verb === "domiflist" ? `error: failed to get domain '${name}'\n` : `error: unknown command: '${verb ?? ""}'\n`);
        return Promise.resolve(1);
      }
      context.out(` ${"Interface".padEnd(12)}${"Type".padEnd(10)}${"Source".padEnd(13)}${"Model".padEnd(9)}MAC\n${"-".repeat(64)}\n`);
      for (const { plug, mac } of machine.interfaces.values()) {
        if (plug !== undefined && bridges.has(plug.switch)) context.out(` ${plug.port.padEnd(12)}${"network".padEnd(10)}${plug.switch.padEnd(13)}${"virtio".padEnd(9)}${mac}\n`);
      }
      context.out("\n");
      return Promise.resolve(0);
    },
  };
}
