/** Packets for the controller from flows that no logical flow asked for: without a meter. */
import { controllerOp, type ControllerOpcode } from "../../logical/index.ts";
import type { Action } from "../../openflow/index.ts";

const unmetered = { controllerMeter: undefined, features: { ctZeroSnat: true, meters: true, hashL4Symmetric: true } } as const;

/** `pause`: the rest of the pipeline waits for an answer. */
export const toController = (opcode: ControllerOpcode, data?: Uint8Array, pause = false): Action => controllerOp(opcode, unmetered, data, { pause, meter: "none" });
