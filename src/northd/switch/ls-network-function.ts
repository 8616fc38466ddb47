/** ls_*_pre_network_function, ls_*_network_function: see network-functions/groups.ts. */
import { derived, relation, rule, type Rule } from "../../engine/index.ts";
import { type AclUse, aclUses } from "../access/acl-use.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { type Actions, actions, match, next, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { activeFunction, failsOpen, type FunctionGroup, isVtap, type NetworkFunction } from "../network-functions/groups.ts";
import { compareBytes } from "../port-addresses.ts";
import { bit, reg } from "../registers.ts";
import { perZone } from "../topology/per-zone.ts";
import { dropActions } from "../topology/settings.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";

const networkFunctionDefaults = rule("ls-network-function-defaults", (t: Topology) => t.switches, function* (t, owner) {
  const redirected = match`${bit.nfEnabled} == 1`;
  for (const stages of [lsIn, lsOut]) {
    yield passByDefault(owner, stages.preNetworkFunction);
    yield lflow(owner, stages.preNetworkFunction, 1, match`${redirected} && ${bit.nfOriginalDirection} == 1`, actions`${reg.nfId} = 0; next;`);
    yield lflow(owner, stages.networkFunction, 100, match`${redirected} && eth.mcast`, next);
    yield passByDefault(owner, stages.networkFunction);
    yield lflow(owner, stages.networkFunction, 1, redirected, dropActions(t));
  }
  yield lflow(owner, lsIn.l2Lkup, 100, match`${bit.nfEgressLoopback} == 1`, actions`output;`);
});

/** A group on a switch, by access control lists of one direction. */
interface FunctionUse {
  readonly owner: LogicalSwitch;
  readonly group: FunctionGroup;
  readonly direction: "from-lport" | "to-lport";
}

const FunctionUse = relation<FunctionUse>("network functions of switches", ({ owner, group, direction }) => `${owner.row._uuid} ${group._uuid} ${direction}`);

/** Access control lists that send packets by way of a function: few, as a rule. */
const usesWithFunction = perZone((t: Topology) => t.engine.index("ACLs with a network function", aclUses(t).pairs, (use: AclUse) => (use.acl.network_function_group === undefined ? [] : [use])));

const functionUses = rule("network-functions-of-acls", (t: Topology) => usesWithFunction(t).keys, function* (t, { owner, acl }) {
  const group = t.nb.Network_Function_Group.get(acl.network_function_group);
  if (group !== undefined) yield FunctionUse({ owner, group, direction: acl.direction === "from-lport" ? "from-lport" : "to-lport" });
});

/** The function's port on this switch, or the one that is nested in it. */
const portHere = derived("network function's port", (owner: LogicalSwitch, name: string): SwitchPort | undefined => {
  const { topology: t } = owner;
  const own = t.switchPortsByName.first(name);
  if (own !== undefined && owner.row.ports.has(own.row._uuid)) return own;
  return [...owner.row.ports].sort(compareBytes).flatMap((uuid) => t.switchPort(t.nb.Logical_Switch_Port.get(uuid)) ?? []).find(({ row }) => row.parent_name === name);
});

const nameOf = (t: Topology, uuid: NetworkFunction["inport"] | undefined): string => t.nb.Logical_Switch_Port.get(uuid)?.name ?? "";

const redirections = rule("ls-network-function", (t: Topology) => t.engine.facts(FunctionUse), function* (t, use) {
  const { owner, group, direction } = use;
  const { preNetworkFunction: pre } = direction === "from-lport" ? lsIn : lsOut;
  const chosen = `${bit.nfEnabled} == 1 && ${bit.nfOriginalDirection} == 1 && ${reg.nfId} == `;
  if (failsOpen(group)) yield lflow(owner, pre, 10, match`${chosen}${group.id}`, actions`${bit.nfEnabled} = 0; ${reg.nfId} = 0; next;`);
  const nf = activeFunction(t, group);
  if (nf === undefined || (nf.outport === undefined) !== isVtap(group)) return;
  const input = portHere(owner, nameOf(t, nf.inport));
  const output = isVtap(group) ? input : portHere(owner, nameOf(t, nf.outport));
  if (input === undefined || output === undefined) {
    t.log.err(`Ports not found for network_function ${nf.name}`);
    return;
  }
  yield lflow(owner, pre, 99, match`${chosen}${group.id}`, actions`${reg.nfId} = ${nf.id}; next;`);
  const isIngress = direction === "from-lport";
  const [there, back] = isIngress ? [input, output] : [output, input];
  const onward = send(there, isIngress, isVtap(group));
  const reply = send(back, !isIngress, isVtap(group));
  const forward = match`${chosen}${nf.id}`;
  const reverse = match`${bit.nfEnabled} == 1 && ${bit.nfOriginalDirection} == 0 && ct_label.nf_id == ${nf.id}`;
  yield lflow(owner, (isIngress ? lsIn : lsOut).networkFunction, 99, forward, onward);
  yield lflow(owner, (isIngress ? lsOut : lsIn).networkFunction, 99, reverse, reply);
  if (isVtap(group)) yield* copiesEnd(owner, input);
  else yield* passedOn(owner, input, output);
});

/** In the ingress pipeline the packet goes out at once; from the egress one it goes back to where destinations are chosen. */
function send(port: SwitchPort, isIngress: boolean, isCopy: boolean): Actions {
  const out = `outport = ${quoted(port.row.name)}; `;
  const step = isIngress ? `${out}output;` : `${out}${bit.nfEgressLoopback} = 1; next(pipeline=ingress, table=${lsIn.l2Lkup.table});`;
  return isCopy ? actions`clone {${step}}; next;` : actions`${step}`;
}

/** What comes out of the function goes its way; what is on its way to it is not sent there again. */
function* passedOn(owner: LogicalSwitch, input: SwitchPort, output: SwitchPort) {
  for (const port of [input, output]) {
    const name = quoted(port.row.name);
    yield lflow(owner, lsIn.networkFunction, 100, match`inport == ${name}`, actions`${reg.tunnelPort} = ct_label.tun_if_id; next;`);
    yield lflow(owner, lsOut.networkFunction, 100, match`outport == ${name}`, next);
    // By which tunnel it came: that is how it has to go back.
    const commit = `ct_mark.blocked = 0; ct_mark.allow_established = ${bit.aclPersistId}; ct_label.acl_id = ${reg.aclId}; `;
    const observed = `ct_mark.obs_stage = ${reg.obsStage}; ct_mark.obs_collector_id = ${reg.obsCollectorEstablished}; ct_label.obs_point_id = ${reg.obsPointEstablished}; `;
    const tunnel = `ct_label.tun_if_id = ${reg.tunnelPort}; `;
    yield lflow(owner, lsOut.stateful, 120, match`outport == ${name} && ${bit.aclLabel} == 0`, actions`ct_commit { ${commit}${tunnel}}; next;`);
    yield lflow(owner, lsOut.stateful, 120, match`outport == ${name} && ${bit.aclLabel} == 1`, actions`ct_commit { ${commit}${observed}${tunnel}}; next;`);
  }
  const past = actions`next(pipeline=egress, table=${lsOut.networkFunction.table + 1});`;
  yield lflow(owner, lsOut.preAcl, 110, match`inport == ${quoted(input.row.name)}`, past);
}

/** Copies end at the function, untracked. */
function* copiesEnd(owner: LogicalSwitch, input: SwitchPort) {
  const name = quoted(input.row.name);
  yield lflow(owner, lsIn.networkFunction, 100, match`inport == ${name}`, actions`drop;`);
  yield lflow(owner, lsOut.networkFunction, 100, match`outport == ${name}`, next);
  yield lflow(owner, lsOut.preAcl, 110, match`ip && outport == ${name}`, actions`ct_clear; next;`);
}

export const networkFunctionRules: readonly Rule<Topology>[] = [networkFunctionDefaults, functionUses, redirections];
