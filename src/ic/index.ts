/** ovn-ic: one availability zone's part in the interconnection. */
export type { IcRemotes } from "./connections.ts";
export { startIc } from "./start-ic.ts";
