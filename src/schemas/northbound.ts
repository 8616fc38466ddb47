/** OVN_Northbound: what the operator of one zone wishes for. Columns: ovn-nb(5). */
import { database } from "../ovsdb/index.ts";
import { northboundRouting } from "./northbound-routing.ts";
import { northboundShared } from "./northbound-shared.ts";
import { northboundSwitching } from "./northbound-switching.ts";

export const northbound = database("OVN_Northbound", "7.19.0", {
  ...northboundSwitching,
  ...northboundRouting,
  ...northboundShared,
}, "2631744256 45474");
