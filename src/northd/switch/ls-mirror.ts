/** ls_in_mirror, ls_out_mirror: copies for other logical ports. Mirrors of other types are the switch's business. */
import { rule, type Rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { type Mirror, mirrorPortName, portMirrorsOf } from "../mirroring/attached-mirrors.ts";
import { switchOf } from "../topology/port-membership.ts";
import { redirectName } from "../topology/router-ports.ts";
import { hasRedirectPort } from "../topology/switch-ports.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";

const mirrorDefaults = rule("ls-mirror-defaults", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.mirror);
  yield passByDefault(owner, lsOut.mirror);
});

const copies = rule("ls-mirror", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  // What goes to or comes from the port's stand-in on a gateway chassis is the port's.
  const names = [port.row.name, ...(hasRedirectPort(port) ? [redirectName(port.row.name)] : [])];
  for (const mirror of portMirrorsOf(port)) {
    for (const name of names) {
      if (mirror.filter !== "to-lport") yield* copied(owner, name, mirror, "inport");
      if (mirror.filter !== "from-lport") yield* copied(owner, name, mirror, "outport");
    }
  }
});

const offset = 100;
const highest = 65535;

function* copied(owner: LogicalSwitch, name: string, mirror: Mirror, end: "inport" | "outport") {
  const stage = (end === "inport" ? lsIn : lsOut).mirror;
  const target = quoted(mirrorPortName(owner, mirror));
  const packets = `${end} == ${quoted(name)}`;
  yield lflow(owner, stage, offset, match`${packets}`, actions`mirror(${target}); next;`);
  // The copies themselves are nobody's connection.
  yield lflow(owner, lsOut.preAcl, highest, match`outport == ${target}`, actions`next(pipeline=egress, table=${lsOut.applyPortSec.table});`);
  for (const uuid of mirror.mirror_rules) {
    const each = owner.topology.nb.Mirror_Rule.get(uuid);
    if (each === undefined) continue;
    const copy = each.action === "mirror" ? `mirror(${target}); ` : "";
    yield lflow(owner, stage, offset + each.priority, match`${packets} && (${each.match})`, actions`${copy}next;`);
  }
}

export const mirrorFlows: readonly Rule<Topology>[] = [mirrorDefaults, copies];
