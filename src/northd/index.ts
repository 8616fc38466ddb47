/** northd: wishes (OVN_Northbound) to logical flows (OVN_Southbound). Knows nothing of chassis' switches, or of other zones. */
export { type Northd, type NorthdOptions, startNorthd } from "./northd.ts";
