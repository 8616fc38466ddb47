/** The `log` action of an access control list: with the list's name, severity and meter, and what it says about the packet. */
import { meterNamed, shareOf } from "../topology/meters.ts";
import type { Topology } from "../topology/topology.ts";
import type { Acl } from "./acl-use.ts";

/** With a blank after it; empty for a list that is not logged. */
export function aclLog(t: Topology, acl: Acl): string {
  if (!acl.log) return "";
  const name = acl.name === undefined ? "" : `name="${acl.name}", `;
  const verdict = acl.action.startsWith("allow") ? "allow" : acl.action;
  const meter = logMeter(t, acl);
  return `log(${name}severity=${acl.severity ?? "info"}, verdict=${verdict}${meter === undefined ? "" : `, meter="${meter}"`}); `;
}

/** Whether the list has a share of its own in a meter. */
export function sharesFairly(t: Topology, { log, meter }: Acl): boolean {
  return log && meter !== undefined && meterNamed(t, meter)?.fair === true;
}

function logMeter(t: Topology, acl: Acl): string | undefined {
  return acl.meter !== undefined && sharesFairly(t, acl) ? shareOf(acl.meter, acl) : acl.meter;
}
