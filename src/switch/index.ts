/** The embedded OpenFlow switch: what ovs-vswitchd is to the real thing, without root and inside this process. */
export type { AttachedPort, CapturedFrame, Switch, SwitchOptions } from "./switch.ts";
