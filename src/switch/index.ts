/** The embedded OpenFlow switch: what ovs-vswitchd is to the real thing, without root and inside this process. */
export { type BfdSettings, BfdSession } from "./port/bfd-session.ts";
export { type DummyLevel, dummyLevels } from "./dummy/dummy-links.ts";
export { timeCommands } from "./dummy/time-commands.ts";
export { connectPort, connectTap, type DistantTap, framesSocket, serveFrames } from "./port/frame-wire.ts";
export type { CapturedFrame } from "./port/port-taps.ts";
export { startSwitch } from "./start-switch.ts";
export type { AttachedPort, Switch, SwitchOptions } from "./switch.ts";
