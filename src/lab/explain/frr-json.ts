/**
 * What FRR's vtysh says of a route in JSON (`show bgp vrf VRF ipv4 unicast PREFIX json`, `show bgp vrfs json`). It is outside
 * text: whatever is not understood is left out.
 */

export interface BgpPath {
  readonly metric: number | undefined;
  /** `4210000000`, or `Local`. */
  readonly asPath: string;
  readonly isBest: boolean;
  /** The VRF that it was imported from. */
  readonly importedFrom: string | undefined;
  readonly peerHostname: string | undefined;
}

export interface BgpRoute {
  readonly prefix: string;
  readonly paths: readonly BgpPath[];
  /** Peer as FRR names it (an interface, an address), and the host name that the peer gave. */
  readonly advertisedTo: ReadonlyMap<string, string | undefined>;
}

type JsonRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is JsonRecord => typeof value === "object" && value !== null && !Array.isArray(value);
const record = (value: unknown): JsonRecord => (isRecord(value) ? value : {});
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Undefined if FRR has no such route. */
export function parseBgpRoute(json: string): BgpRoute | undefined {
  const value = record(parse(json));
  const prefix = text(value["prefix"]);
  if (prefix === undefined) return undefined;
  const paths = value["paths"];
  return {
    prefix,
    paths: (Array.isArray(paths) ? paths : []).filter(isRecord).map(pathOf),
    advertisedTo: new Map(Object.entries(record(value["advertisedTo"])).map(([peer, about]) => [peer, text(record(about)["hostname"])])),
  };
}

function pathOf(path: JsonRecord): BgpPath {
  const metric = path["metric"];
  return {
    metric: typeof metric === "number" ? metric : undefined,
    asPath: text(record(path["aspath"])["string"]) ?? "",
    isBest: record(path["bestpath"])["overall"] === true,
    importedFrom: text(path["nhVrfName"]),
    peerHostname: text(record(path["peer"])["hostname"]),
  };
}

/** The VRFs that have a BGP instance, the default one (called "default") included. */
export const parseBgpVrfs = (json: string): readonly string[] => Object.keys(record(record(parse(json))["vrfs"]));
