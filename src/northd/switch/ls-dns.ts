/** ls_in_dns_lookup, ls_in_dns_response: names that the controller answers for. */
import { derived, rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";

export const hasDnsRecords = derived("has dns records", (owner: LogicalSwitch): boolean => {
  for (const uuid of owner.row.dns_records) {
    if ((owner.topology.nb.DNS.get(uuid)?.records.size ?? 0) > 0) return true;
  }
  return false;
});

export const dnsResponder = rule("ls-dns", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.dnsLookup);
  yield passByDefault(owner, lsIn.dnsResponse);
  if (!hasDnsRecords(owner)) return;
  yield lflow(owner, lsIn.dnsLookup, 100, match`udp.dst == 53`, actions`${bit.dnsResult} = dns_lookup(); next;`, { protocol: "dns" });
  for (const ip of ["ip4", "ip6"]) {
    const answer = actions`eth.dst <-> eth.src; ${ip}.src <-> ${ip}.dst; udp.dst = udp.src; udp.src = 53; outport = inport; flags.loopback = 1; output;`;
    yield lflow(owner, lsIn.dnsResponse, 100, match`udp.dst == 53 && ${bit.dnsResult}`, answer);
  }
});
