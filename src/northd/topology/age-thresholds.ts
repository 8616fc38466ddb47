/** Logical_Router options:mac_binding_age_threshold: `[CIDR:]SECONDS;...`, after how long what is not used is forgotten. */
import { derived } from "../../engine/index.ts";
import { contains, parseIp, parsePrefix, type Prefix } from "../../net/index.ts";
import type { LogicalRouter } from "./topology.ts";

export interface AgeThresholds {
  /** The longest prefix first. */
  readonly prefixes: readonly { readonly prefix: Prefix; readonly seconds: number }[];
  /** For all others; 0: never. */
  readonly otherwise: number;
}

const never: AgeThresholds = { prefixes: [], otherwise: 0 };

/** As a whole without effect where any part of it cannot be read. */
export const ageThresholds = derived("mac_binding_age_threshold", (router: LogicalRouter): AgeThresholds => {
  const prefixes: { readonly prefix: Prefix; readonly seconds: number }[] = [];
  let otherwise = 0;
  for (const entry of (router.row.options.get("mac_binding_age_threshold") ?? "").split(";").filter((e) => e !== "")) {
    const colon = entry.lastIndexOf(":");
    const seconds = entry.slice(colon + 1);
    const prefix = colon < 0 ? undefined : parsePrefix(entry.slice(0, colon));
    if (!/^\s*\d+$/.test(seconds) || (colon >= 0 && prefix === undefined)) {
      router.topology.warn(`Parsing aging threshold '${entry}' failed.`);
      return never;
    }
    if (prefix === undefined || prefix.length === 0) otherwise = Number(seconds);
    else prefixes.push({ prefix, seconds: Number(seconds) });
  }
  return { prefixes: prefixes.sort((a, b) => b.prefix.length - a.prefix.length), otherwise };
});

export function thresholdFor({ prefixes, otherwise }: AgeThresholds, text: string): number {
  const ip = parseIp(text);
  const found = ip === undefined ? undefined : prefixes.find(({ prefix }) => prefix.family === ip.family && contains(prefix, ip));
  return found?.seconds ?? otherwise;
}

/** Chassis refresh what they use by the shortest of them; 0: there is none. */
export function shortestThreshold({ prefixes, otherwise }: AgeThresholds): number {
  const seconds = [...prefixes.map((p) => p.seconds), otherwise].filter((n) => n > 0);
  return seconds.length === 0 ? 0 : Math.min(...seconds);
}
