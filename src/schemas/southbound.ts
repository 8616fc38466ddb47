/** OVN_Southbound: what northd makes of the wishes, and what the chassis say of themselves. Columns: ovn-sb(5). */
import { database } from "../ovsdb/index.ts";
import { southboundChassis } from "./southbound-chassis.ts";
import { southboundLogical } from "./southbound-logical.ts";

export const southbound = database("OVN_Southbound", "21.11.0", {
  ...southboundChassis,
  ...southboundLogical,
}, "4289271680 36997");
