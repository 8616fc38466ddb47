/** options:dynamic-routing and options:dynamic-routing-redistribute: which routes a router port tells the routers outside of. */
import { derived } from "../../engine/index.ts";
import { boolOption, type Options } from "../options.ts";
import { routerOf } from "../topology/router-ports.ts";
import type { LogicalRouter, RouterPort } from "../topology/topology.ts";

/** "hosts": every address behind the port instead of the port's networks. "interconnected": what other zones are connected to. */
export type Redistributed = "connected" | "hosts" | "static" | "nat" | "lb" | "interconnected";

const words: { readonly [word: string]: readonly Redistributed[] } = {
  connected: ["connected"],
  "connected-as-host": ["connected", "hosts"],
  static: ["static"],
  nat: ["nat"],
  lb: ["lb"],
  "hub-spoke": ["interconnected"],
};

export const routesDynamically = derived("dynamic-routing", (router: LogicalRouter): boolean => boolOption(router.row.options, "dynamic-routing", false));

function parse(options: Options, owner: LogicalRouter | RouterPort): readonly Redistributed[] | undefined {
  const text = options.get("dynamic-routing-redistribute");
  return text?.split(",").filter((word) => word !== "").flatMap((word) => {
    const known = words[word];
    if (known === undefined) owner.topology.warn(`unknown dynamic-routing-redistribute option '${word}' on ${owner.row.name}`);
    return known ?? [];
  });
}

const redistributed = derived("dynamic-routing-redistribute", (port: RouterPort): readonly Redistributed[] => {
  const router = routerOf(port);
  if (router === undefined || !routesDynamically(router)) return [];
  return parse(port.row.options, port) ?? parse(router.row.options, router) ?? [];
});

/** Whether the port tells of such routes: its own option goes before its router's. */
export const redistributes = derived("redistributes", (port: RouterPort, kind: Redistributed): boolean => redistributed(port).includes(kind));

/** Whether what the row stands for may be told of at all. */
export const isAdvertisable = ({ options }: { readonly options: Options }): boolean => boolOption(options, "dynamic-routing-advertise", true);
