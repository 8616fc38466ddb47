/** Simulated hosts: a network stack and a few programs behind a frame port. */
export type { RunningCommand } from "./command/run-command.ts";
export { SimulatedHost, type SimulatedHostOptions } from "./simulated-host.ts";
