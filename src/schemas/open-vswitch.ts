/** Open_vSwitch: the configuration of one switch. Columns: ovs-vswitchd.conf.db(5). */
import { database } from "../ovsdb/index.ts";
import { openVSwitchAccounting } from "./open-vswitch-accounting.ts";
import { openVSwitchBridging } from "./open-vswitch-bridging.ts";

export const openVSwitch = database("Open_vSwitch", "8.8.0", {
  ...openVSwitchBridging,
  ...openVSwitchAccounting,
}, "2823623553 27869");
