/** The five databases as types, at the versions of OVN's and Open vSwitch's main branches. */
export { icNorthbound } from "./ic-northbound.ts";
export { icSouthbound } from "./ic-southbound.ts";
export { northbound } from "./northbound.ts";
export { openVSwitch } from "./open-vswitch.ts";
export { southbound } from "./southbound.ts";
