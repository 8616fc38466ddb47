/** Addresses with ports, as load balancers' keys are written. */
import { ipv4Of, parseIpv4, parseIpv6 } from "../../net/index.ts";
import type { Lexer } from "../lexer.ts";
import type { Address } from "./action.ts";

/** `1.2.3.4`, `1.2.3.4:80`, `[::1]:80`, `::1`. */
export function addressAndPort(text: string): { address: Address; port: number } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)|(.*:.*:.*))(?::(\d{1,5}))?$/.exec(text) ?? undefined;
  const host = match?.[1] ?? match?.[2] ?? match?.[3];
  if (host === undefined) return undefined;
  const port = Number(match?.[4] ?? 0);
  if (port > 0xffff) return undefined;
  const ipv4 = match?.[1] === undefined ? parseIpv4(host) : undefined;
  if (ipv4 !== undefined) return { address: { family: 4, ip: ipv4Of(ipv4) }, port };
  const bare = parseIpv6(text);
  if (bare !== undefined) return { address: { family: 6, ip: bare }, port: 0 };
  const ipv6 = parseIpv6(host);
  return ipv6 === undefined ? undefined : { address: { family: 6, ip: ipv6 }, port };
}

/** `true` or `false`, quoted or not. */
export function parseBoolean(lexer: Lexer): boolean {
  for (const [text, value] of [["true", true], ["false", false]] as const) if (lexer.matchString(text) || lexer.matchId(text)) return value;
  return lexer.syntaxError("expecting true or false");
}
