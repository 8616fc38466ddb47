/** Laboratories: topology files to running zones, hosts and captures. */
export { runIsthmus } from "./command/isthmus.ts";
export type { Terminal } from "./command/terminal.ts";
export type { ThreadAnswer, ThreadRequest } from "./thread/messages.ts";
export { serveLabThread } from "./thread/serve-thread.ts";
