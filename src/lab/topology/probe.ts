/** `probe:` what shows that the lab carries packets. */
import * as z from "zod";
import { known, type Misfit } from "./complaint.ts";
import type { TopologyHosts } from "./hosts.ts";
import { ip, name } from "./names.ts";

export const probeSchema = z.strictObject({ from: name, to: ip });

export interface Probe {
  readonly from: string;
  readonly to: string;
}

export function* probeMisfits(probe: Probe | undefined, hosts: TopologyHosts): Generator<Misfit> {
  if (probe !== undefined && !hosts.has(probe.from)) yield { path: ["probe", "from"], message: `no such host; there are ${known(hosts.keys())}` };
}
