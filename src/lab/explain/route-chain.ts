/**
 * The whole way of a route that OVN announces: the wish in the northbound database, the Advertised_Route row, the kernel's
 * table on the gateway, FRR's table there, and the table of the router that it is announced to. Each link with the command
 * that shows it and what that command says; and where the chain breaks, that it does.
 */
import { contains, formatIp, formatPrefix, networkOf, type Prefix, parsePrefix } from "../../net/index.ts";
import { type BgpRoute, parseBgpRoute, parseBgpVrfs } from "./frr-json.ts";
import type { Northbound, RoutePlace } from "./route-place.ts";
import { wishesFor } from "./route-wish.ts";

export interface ChainLink {
  readonly what: string;
  /** As one would type it, in a shell that `isthmus env` has prepared. */
  readonly command: string;
  readonly output: string;
  /** Why the chain ends here. */
  readonly broken?: string | undefined;
}

interface Announcement {
  readonly port: string;
  /** Where the route leads, and the chassis that has it now. */
  readonly tracked: string | undefined;
  readonly router: string;
  readonly prefix: Prefix;
  readonly chassis: string;
  readonly table: number;
  readonly vrf: string;
}

const quoted = (words: readonly string[]): string => words.map((word) => (/^[\w.:/=,@%+-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`)).join(" ");
const short = (prefix: Prefix): string => (prefix.length === (prefix.family === 4 ? 32 : 128) ? formatIp(prefix) : formatPrefix(prefix));

/** The chain of every announcement of the route; the first element stands for what all have in common. */
export async function routeChains(place: RoutePlace, target: Prefix): Promise<{ readonly common: readonly ChainLink[]; readonly chains: ReadonlyMap<string, readonly ChainLink[]> }> {
  const common: ChainLink[] = [];
  for (const wish of wishesFor(place.nb, target)) common.push(await ctl(place, wish.what, wish.command));
  const announcements = announcementsOf(place, target);
  const show = ["ovn-sbctl", "--columns=datapath,logical_port,ip_prefix,tracked_port", "find", "Advertised_Route", `ip_prefix="${short(announcements[0]?.prefix ?? target)}"`];
  const rows = await ctl(place, "Advertised_Route rows: what northd makes of it, for each router that takes part", show);
  common.push(announcements.length > 0 ? rows : { ...rows, broken: whyNotAdvertised(place) });
  const chains = new Map<string, readonly ChainLink[]>();
  for (const announcement of announcements) {
    const { router, chassis, port, tracked } = announcement;
    chains.set(`${router} on ${chassis}, port ${port}${tracked === undefined ? "" : `, which leads to ${tracked}`}`, await chainOf(place, announcement));
  }
  return { common, chains };
}

async function ctl(place: RoutePlace, what: string, argv: readonly string[]): Promise<ChainLink> {
  const { stdout, stderr, exitCode } = await place.runCtl(argv);
  return { what, command: quoted(argv), output: exitCode === 0 ? stdout : stderr };
}

/** One for each router and chassis, of the longest prefix that holds the target. */
function announcementsOf({ nb, sb }: RoutePlace, target: Prefix): readonly Announcement[] {
  const found = new Map<string, Announcement>();
  const nameOf = (uuid: Parameters<typeof sb.Port_Binding.get>[0]): string | undefined => {
    const port = sb.Port_Binding.get(uuid);
    const chassis = sb.Chassis.get(port?.chassis)?.name;
    return port === undefined ? undefined : `${port.logical_port}${chassis === undefined ? "" : ` (bound on ${chassis})`}`;
  };
  for (const row of sb.Advertised_Route) {
    const prefix = parsePrefix(row.ip_prefix);
    const datapath = sb.Datapath_Binding.get(row.datapath);
    if (prefix === undefined || datapath === undefined || prefix.length > target.length || !contains(prefix, target)) continue;
    const router = datapath.external_ids.get("name") ?? "";
    const wish = Number(datapath.external_ids.get("dynamic-routing-vrf-id"));
    const table = Number.isInteger(wish) && wish > 0 ? wish : datapath.tunnel_key;
    const vrf = [...nb.Logical_Router].find((r) => r.name === router)?.options.get("dynamic-routing-vrf-name") ?? `ovnvrf${table}`;
    for (const port of sb.Port_Binding) {
      const chassis = port.datapath === row.datapath && port.options.get("dynamic-routing") === "true" ? sb.Chassis.get(port.chassis)?.name : undefined;
      if (chassis !== undefined) found.set(`${formatPrefix(prefix)} ${router} ${chassis}`, { router, prefix: networkOf(prefix), chassis, table, vrf, port: nameOf(row.logical_port) ?? "", tracked: nameOf(row.tracked_port) });
    }
  }
  const longest = Math.max(...[...found.values()].map(({ prefix }) => prefix.length));
  return [...found.values()].filter(({ prefix }) => prefix.length === longest).sort((a, b) => (`${a.router} ${a.chassis}` < `${b.router} ${b.chassis}` ? -1 : 1));
}

function whyNotAdvertised({ nb }: RoutePlace): string {
  const routers = [...nb.Logical_Router].filter((router) => router.options.get("dynamic-routing") === "true");
  return routers.length === 0
    ? "no router takes part: none has options:dynamic-routing=true"
    : `none of ${routers.map((r) => r.name).join(", ")} announces it: dynamic-routing-redistribute says what of (connected, connected-as-host, static, nat, lb, hub-spoke)`;
}

async function chainOf(place: RoutePlace, announcement: Announcement): Promise<readonly ChainLink[]> {
  const { router, chassis, vrf, table, prefix } = announcement;
  const node = [...place.topology.nodes.values()].find((n) => n.systemId === chassis)?.name ?? chassis;
  const links: ChainLink[] = [await ctl(place, `Options: ${router} exchanges routes with table ${table}, VRF ${vrf}`, ["ovn-nbctl", "get", "Logical_Router", router, "options"])];
  for (const port of [...place.nb.Logical_Router_Port].filter((p) => isPortOf(place.nb, router, p._uuid) && [...p.options.keys()].some((key) => key.startsWith("dynamic-routing") || key.startsWith("routing-protocol")))) {
    links.push(await ctl(place, `Options of its port ${port.name}`, ["ovn-nbctl", "get", "Logical_Router_Port", port.name, "options"]));
  }
  const all = await on(place, node, `Kernel of ${node}: for FRR to see, not to forward by`, ["ip", "route", "show", "vrf", vrf]);
  const kernel = linesWith(all, short(prefix));
  const hasRoute = kernel.output.includes("proto 84");
  links.push(hasRoute ? kernel : { ...kernel, broken: `no route to ${short(prefix)} of protocol 84 there: ovn-controller's log on ${node} says why` });
  if (!hasRoute) return links;
  return [...links, ...(await bgpLinks(place, node, vrf, prefix))];
}

/** Of a table, what is about the route. */
const linesWith = (link: ChainLink, ...wanted: readonly string[]): ChainLink =>
  ({ ...link, output: link.output.split("\n").filter((line) => wanted.some((word) => line.split(/\s+/).includes(word))).join("\n") });

const isPortOf = (nb: Northbound, router: string, port: string): boolean => [...nb.Logical_Router].some((r) => r.name === router && [...r.ports].some((uuid) => uuid === port));

async function on(place: RoutePlace, name: string, what: string, argv: readonly string[]): Promise<ChainLink> {
  const { stdout, stderr, exitCode } = await place.runOn(name, argv);
  return { what, command: `isthmus exec ${name} ${quoted(argv)}`, output: exitCode === 0 ? stdout : stderr };
}

async function bgpRoute(place: RoutePlace, name: string, vrf: string | undefined, prefix: Prefix): Promise<BgpRoute | undefined> {
  const scope = vrf === undefined ? "" : `vrf ${vrf} `;
  const { stdout } = await place.runOn(name, ["vtysh", "-c", `show bgp ${scope}ipv${prefix.family} unicast ${formatPrefix(prefix)} json`]);
  return parseBgpRoute(stdout);
}

/** FRR's table in the VRF, in VRFs that import from it, and those of the routers that these announce it to. */
async function bgpLinks(place: RoutePlace, node: string, vrf: string, prefix: Prefix): Promise<readonly ChainLink[]> {
  const { topology } = place;
  if (topology.nodes.get(node)?.frr === undefined) return [];
  const links: ChainLink[] = [];
  const importing = parseBgpVrfs((await place.runOn(node, ["vtysh", "-c", "show bgp vrfs json"])).stdout);
  for (const name of [vrf, ...importing.filter((other) => other !== vrf)]) {
    const route = await bgpRoute(place, node, name === "default" ? undefined : name, prefix);
    if (name !== vrf && !(route?.paths.some((path) => path.importedFrom === vrf) ?? false)) continue;
    const shown = await on(place, node, name === vrf ? `FRR of ${node}: redistributed from the kernel` : `FRR of ${node}: imported from ${vrf}`, ["vtysh", "-c", `show bgp vrf ${name} ipv${prefix.family}`]);
    const table = linesWith(shown, "Network", formatPrefix(prefix));
    links.push(route === undefined ? { ...table, broken: `${formatPrefix(prefix)} is not in it: "redistribute kernel" is missing, or there is no BGP in ${name}` } : table);
    for (const [peer, hostname] of route?.advertisedTo ?? []) links.push(...(await peerLinks(place, node, name, peer, hostname, prefix)));
  }
  const hasPeer = links.some(({ what }) => what.startsWith("Session"));
  const last = links.at(-1);
  if (!hasPeer && last !== undefined && last.broken === undefined) links.push({ ...last, what: "Peers of FRR", output: "", broken: `${node} announces it to nobody: no session is established, or a filter holds it back` });
  return links;
}

async function peerLinks(place: RoutePlace, node: string, vrf: string, peer: string, hostname: string | undefined, prefix: Prefix): Promise<readonly ChainLink[]> {
  const session = await on(place, node, `Session with ${hostname ?? peer}`, ["vtysh", "-c", `show bgp vrf ${vrf} neighbors ${peer}`]);
  const firstLines = session.output.split("\n").filter((line) => /^BGP neighbor|BGP state|accepted prefixes|sent prefixes/.test(line)).join("\n");
  const links: ChainLink[] = [{ ...session, output: firstLines }];
  if (hostname === undefined || !place.topology.routers.has(hostname)) return links;
  const learned = await bgpRoute(place, hostname, undefined, prefix);
  const table = linesWith(await on(place, hostname, `FRR of ${hostname}: learned`, ["vtysh", "-c", `show bgp ipv${prefix.family}`]), "Network", formatPrefix(prefix));
  links.push(learned === undefined ? { ...table, broken: `${formatPrefix(prefix)} has not arrived, or a filter holds it back` } : table);
  const kernel = await on(place, hostname, `Kernel of ${hostname}: forwards by it`, ["ip", "route", "show", short(prefix)]);
  links.push(kernel.output.trim() === "" ? { ...kernel, broken: "the kernel has no such route" } : kernel);
  return links;
}
