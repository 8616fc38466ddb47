/** Forwarding groups (Forwarding_Group of ovn-nb(5)): a virtual address whose packets go to one of several ports. */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { actions, match } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { compareBytes } from "../port-addresses.ts";
import { perZone } from "../topology/per-zone.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";

const switchesOfGroup = perZone((t: Topology) =>
  t.engine.index("switches of forwarding group", t.switches, (owner: LogicalSwitch): Iterable<string> => owner.row.forwarding_groups));

export const forwardingGroups = rule("ls-forwarding-groups", (t: Topology) => {
  switchesOfGroup(t);
  return t.nb.Forwarding_Group;
}, function* (t, row) {
  const { vip, vmac, liveness, child_port: children, _uuid: uuid } = row;
  if (children.size === 0) return;
  const ports = [...children].sort(compareBytes).map((name) => `"${name}"`).join(",");
  const reply = actions`eth.dst = eth.src; eth.src = ${vmac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${vmac}; arp.tpa = arp.spa; arp.spa = ${vip}; outport = inport; flags.loopback = 1; output;`;
  for (const owner of switchesOfGroup(t).get(uuid)) {
    yield lflow(owner, lsIn.arpRsp, 50, match`arp.tpa == ${vip} && arp.op == 1`, reply, { hint: row });
    yield lflow(owner, lsIn.l2Lkup, 50, match`eth.dst == ${vmac}`, actions`fwd_group(${liveness ? 'liveness="true",' : ""}childports=${ports});`, { hint: row });
  }
});
