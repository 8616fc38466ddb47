/** ovn-controller: logical flows and bindings to OpenFlow, packet-ins, tunnels; for one chassis (ovn-controller(8)). */
export { type Controller, type ControllerOptions, startController } from "./controller.ts";
