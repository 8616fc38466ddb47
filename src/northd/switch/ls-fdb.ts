/** ls_in_lookup_fdb, ls_in_put_fdb and the same in egress: learning which unknown MAC is behind which port. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { flag, hasPortSecurity, hasUnknown, typeOf } from "../topology/switch-ports.ts";
import type { SwitchPort, Topology } from "../topology/topology.ts";

export const fdbDefaults = rule("ls-fdb-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of [lsIn.lookupFdb, lsIn.putFdb, lsOut.lookupFdb, lsOut.putFdb]) yield passByDefault(owner, stage);
});

export const fdbLearning = rule("ls-fdb", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  const isLocalnet = typeOf(port) === "localnet";
  const details = { ioPort: port.row.name, hint: port.row };
  const inport = match`inport == ${quoted(port.row.name)}`;
  if (isLocalnet) yield lflow(owner, lsIn.lookupFdb, 50, inport, actions`flags.localnet = 1; next;`, details);
  if (!learns(port)) return;
  // What comes from another zone has passed that zone's ingress pipeline already.
  const stages = typeOf(port) === "remote" ? lsOut : lsIn;
  yield lflow(owner, stages.lookupFdb, 100, inport, actions`${isLocalnet ? "flags.localnet = 1; " : ""}${bit.fdbHit} = lookup_fdb(inport, eth.src); next;`, details);
  yield lflow(owner, stages.putFdb, 100, match`${inport} && ${bit.fdbHit} == 0`, actions`put_fdb(inport, eth.src); next;`, details);
});

function learns(port: SwitchPort): boolean {
  if (hasPortSecurity(port) || !hasUnknown(port)) return false;
  switch (typeOf(port)) {
    case "remote":
    case "switch":
      return true;
    case "":
      return flag(port, "lsp_learn_fdb", true);
    case "localnet":
      return flag(port, "localnet_learn_fdb", false);
    default:
      return false;
  }
}
