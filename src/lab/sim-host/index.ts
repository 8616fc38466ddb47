/** Simulated machines: a network stack and a few programs behind frame ports. */
export type { Command, CommandContext } from "./command/command.ts";
export type { RunningCommand } from "./command/run-command.ts";
export { setSysctl } from "./command/sysctl.ts";
export { type TapDevice, tcpdumpOn } from "./command/tcpdump.ts";
export type { Device } from "./device.ts";
export type { HostServices } from "./host-services.ts";
export { type BfdPeerOptions, NextHopBfd } from "./next-hop-bfd.ts";
export { hopKey, SimulatedHost, type SimulatedHostOptions } from "./simulated-host.ts";
export { VirtualAddress } from "./virtual-address.ts";
