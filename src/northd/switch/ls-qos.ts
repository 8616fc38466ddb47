/** ls_in_qos_rules, ls_out_qos_rules: marks and rates (QoS of ovn-nb(5)). */
import { rule, type Rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { type Actions, actions, asMatch } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { perZone } from "../topology/per-zone.ts";
import type { LogicalSwitch, NbRow, Topology } from "../topology/topology.ts";

const switchesOfRule = perZone((t: Topology) => t.engine.index("switches of QoS rule", t.switches, (owner: LogicalSwitch): Iterable<string> => owner.row.qos_rules));

const qosDefaults = rule("ls-qos-defaults", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.qos);
  yield passByDefault(owner, lsOut.qos);
});

const qos = rule("ls-qos", (t: Topology) => {
  switchesOfRule(t);
  return t.nb.QoS;
}, function* (t, row) {
  for (const owner of switchesOfRule(t).get(row._uuid)) {
    const stage = row.direction === "from-lport" ? lsIn.qos : lsOut.qos;
    yield lflow(owner, stage, row.priority, asMatch(row.match), actionsOf(t, row), { hint: row });
  }
});

/** Six bits of the IP header (RFC 2474). */
const maxDscp = 63;

function actionsOf(t: Topology, { action, bandwidth, _uuid: uuid }: NbRow<"QoS">): Actions {
  const rate = bandwidth.get("rate") ?? 0;
  const burst = bandwidth.get("burst") ?? 0;
  const dscp = action.get("dscp");
  const mark = action.get("mark");
  if (dscp !== undefined && dscp > maxDscp) t.warn(`Bad 'dscp' value ${dscp} in qos ${uuid}`);
  const steps = [
    rate === 0 ? "" : burst === 0 ? `set_meter(${rate}); ` : `set_meter(${rate}, ${burst}); `,
    dscp === undefined || dscp > maxDscp ? "" : `ip.dscp = ${dscp}; `,
    mark === undefined ? "" : `pkt.mark = ${mark}; `,
  ];
  return actions`${steps.join("")}next;`;
}

export const qosRules: readonly Rule<Topology>[] = [qosDefaults, qos];
