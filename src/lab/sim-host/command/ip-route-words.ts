/** A route in iproute2's words: `10.0.0.20 nexthop via 100.65.1.2 dev eth2 weight 1 nexthop ...`, `default via 10.0.0.1 metric 5`. */
import { type Ip, networkOf, parseIp, parsePrefix, type Prefix } from "../../../net/index.ts";
import { type Hop, isLoopback, type NetworkState, type Route } from "../network-state.ts";

export type RouteWords = { readonly route: Route } | { readonly wrong: string; readonly code: number };

export function parseDestination(text: string, family: 4 | 6 | undefined): Prefix | undefined {
  if (text !== "default") return parsePrefix(text);
  return parsePrefix(family === 6 ? "::/0" : "0.0.0.0/0");
}

interface Draft {
  via?: Ip;
  device?: string;
  weight: number;
}

interface Attributes {
  metric?: number;
  source?: Ip;
}

/** Words whose values say nothing that a simulated machine would act on. */
const ignored: ReadonlySet<string> = new Set(["proto", "scope", "table", "advmss", "mtu"]);

/** `network`: where the routes to gateways are looked up; `hasDevice`: which names are devices. */
export function parseRoute(words: readonly string[], family: 4 | 6 | undefined, network: NetworkState, hasDevice: (name: string) => boolean): RouteWords {
  const isBlackhole = words[0] === "blackhole";
  const [to = "", ...rest] = isBlackhole ? words.slice(1) : words;
  const drafts: Draft[] = [];
  const attributes: Attributes = {};
  let current: Draft = { weight: 1 };
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? "";
    if (word === "nexthop") {
      if (drafts.length === 0) drafts.push(current = { weight: 1 });
      else drafts.push((current = { weight: 1 }));
      continue;
    }
    if (word === "onlink") continue;
    const wrong = take(word, rest[++i] ?? "", current, attributes);
    if (wrong !== undefined) return { wrong, code: 1 };
  }
  if (drafts.length === 0 && !isBlackhole) drafts.push(current);
  const destination = parseDestination(to, drafts[0]?.via?.family ?? family);
  if (destination === undefined) return { wrong: `Error: inet prefix is expected rather than "${to}".`, code: 1 };
  const hops: Hop[] = [];
  for (const draft of drafts) {
    const hop = hopOf(draft, network, hasDevice);
    if ("wrong" in hop) return hop;
    hops.push(hop);
  }
  const metric = attributes.metric ?? (destination.family === 4 ? 0 : 1024);
  return { route: { destination: networkOf(destination), hops, origin: "static", metric, ...(attributes.source !== undefined && { source: attributes.source }) } };
}

function take(word: string, value: string, hop: Draft, attributes: Attributes): string | undefined {
  const ip = (): Ip | undefined => parseIp(value);
  switch (word) {
    case "via": {
      const via = ip();
      if (via === undefined) return `Error: inet address is expected rather than "${value}".`;
      hop.via = via;
      return undefined;
    }
    case "dev":
      hop.device = value;
      return undefined;
    case "weight":
      hop.weight = Number(value);
      return /^\d{1,3}$/.test(value) && hop.weight >= 1 && hop.weight <= 256 ? undefined : `Error: "weight" is invalid: "${value}"`;
    case "metric":
      attributes.metric = Number(value);
      return /^\d{1,10}$/.test(value) ? undefined : `Error: argument "${value}" is wrong: "metric" value is invalid`;
    case "src": {
      const source = ip();
      if (source === undefined) return `Error: inet address is expected rather than "${value}".`;
      attributes.source = source;
      return undefined;
    }
    default:
      return ignored.has(word) ? undefined : `Error: either "to" is duplicate, or "${word}" is a garbage.`;
  }
}

function hopOf({ via, device, weight }: Draft, network: NetworkState, hasDevice: (name: string) => boolean): Hop | { readonly wrong: string; readonly code: number } {
  if (device !== undefined && !hasDevice(device)) return { wrong: `Cannot find device "${device}"`, code: 1 };
  const isForeign = via === undefined || isLoopback(via);
  const next = isForeign ? undefined : network.routeTo(via, device === undefined ? {} : { device });
  if (via !== undefined && (next === undefined || next.via !== undefined)) return { wrong: "Error: Nexthop has invalid gateway.", code: 2 };
  const chosen = device ?? next?.device;
  return chosen === undefined ? { wrong: "RTNETLINK answers: No such device", code: 2 } : { via, device: chosen, weight };
}
