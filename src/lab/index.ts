/** Laboratories: topology files to running zones, hosts and captures. */
export { runIsthmus } from "./command/isthmus.ts";
export type { Terminal } from "./command/terminal.ts";
