/** Values of the trace's own options. The C program's words for what is wrong with them. */
import { addressAndPort } from "../logical/index.ts";
import type { TraceOptions } from "./walk.ts";

/** `IP[:PORT]`; undefined if the option is not given, a text if it is wrong. */
export function parseLoadBalancerDestination(text: string | undefined): TraceOptions["loadBalancerDestination"] | string {
  if (text === undefined) return undefined;
  const parsed = addressAndPort(text);
  if (parsed === undefined) return `${text}: bad address`;
  return { family: parsed.address.family, ip: BigInt(parsed.address.ip), port: parsed.port };
}

/** A number other than 0, as strtoul reads it. */
export function parseSelectId(text: string | undefined): number | undefined | string {
  if (text === undefined) return undefined;
  const id = Number.parseInt(text, 10);
  return Number.isNaN(id) || id === 0 ? `${text}: bad select-id` : id & 0xffff;
}

/** `west=tcp:10.0.0.1:6642`, or a database alone, which then is its own name. */
export function parseZone(text: string): { readonly name: string; readonly database: string } {
  const named = /^([^=:]+)=(.+)$/.exec(text);
  return { name: named?.[1] ?? text, database: named?.[2] ?? text };
}
