/** On whose chassis a router port's traffic is handled, where the network behind it is a physical one. */
import { boolOption } from "../options.ts";
import { isGatewayPort } from "./router-ports.ts";
import type { RouterPort } from "./topology.ts";

/** The gateway port on whose chassis alone it is, if there is such a one: itself, or the only one of its router where it asks for it. */
export function residence(port: RouterPort, gateways: readonly RouterPort[]): RouterPort | undefined {
  if (isGatewayPort(port)) return port;
  return boolOption(port.row.options, "reside-on-redirect-chassis", false) && gateways.length === 1 ? gateways[0] : undefined;
}
