/** The underlay as machines: bridges that learn, cables with troubles. Knows nothing of OVN, nor of who is plugged in. */
export { showBridges, showMacs } from "./bridge-text.ts";
export { Cable, type CableCounters, type CableEnd, type Dice } from "./cable.ts";
export { Courier } from "./courier.ts";
export {
  changeImpairment, formatImpairment, type Impairment, isUnimpaired, parseDelay, parseLoss, parseRate, unimpaired,
} from "./impairment.ts";
export { type BridgePort, defaultAgeingMs, type LearnedMac, LearningBridge, type LearningBridgeOptions, type PortVlans, withoutTag, withTag } from "./learning-bridge.ts";
