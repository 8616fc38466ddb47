/** The flows that every chassis has, whatever its network: how packets pass from a section of the tables to the next. */
import { rule } from "../../engine/index.ts";
import { logicalRegisters, openflowTables } from "../../logical/index.ts";
import { type Action, type FieldName, Match } from "../../openflow/index.ts";
import { Flow, load, move, outportField, resubmit, withFlags } from "../flow.ts";
import type { Node } from "../node.ts";
import { ourChassis } from "../ports.ts";
import { clearRegisters } from "./local-port.ts";
import { drop } from "./sampled-drops.ts";

const t = openflowTables;
const highest = 65535;
/** Bits of ct_state. */
const ctNew = 0x01;
const ctEstablished = 0x02;
const ctTracked = 0x20;

const fixed = (table: number, priority: number, match: Match, ...actions: readonly Action[]): Flow => ({ table, priority, cookie: 0, match, actions });
const otherwise = (table: number, ...actions: readonly Action[]): Flow => fixed(table, 0, Match.any, ...actions);

const passages: readonly Flow[] = [
  otherwise(t.ctZoneLookup, resubmit(t.logIngressPipeline)),
  otherwise(t.outputLargePktDetect, resubmit(t.remoteOutput)),
  fixed(t.outputLargePktProcess, 10, withFlags(Match.any, ["allowLoopback"]), resubmit(t.localOutput)),
  otherwise(t.outputLargePktProcess, resubmit(t.remoteOutput)),
  // From a ramp, or for this chassis alone: not into a tunnel.
  fixed(t.remoteOutput, 150, withFlags(Match.any, ["rcvFromRamp"], ["allowLoopback"]), resubmit(t.localOutput)),
  fixed(t.remoteOutput, 150, withFlags(Match.any, ["localOnly"]), resubmit(t.localOutput)),
  otherwise(t.remoteOutput, resubmit(t.remoteVtepOutput)),
  otherwise(t.remoteVtepOutput, resubmit(t.localOutput)),
  otherwise(t.checkLoopback, ...clearRegisters, resubmit(t.logEgressPipeline)),
  otherwise(t.saveInport, resubmit(t.logToPhy)),
  otherwise(t.getFdb, load(outportField, 0)),
  otherwise(t.getRemoteFdb, load(logicalRegisters.remoteOutport, 0)),
  fixed(t.ctStateSave, highest - 1, Match.any, move("ct_state", 0, logicalRegisters.ctSavedState, 0, 8)),
  fixed(t.ctStateSave, highest, Match.of(["ct_state", 0, ctTracked]), load(logicalRegisters.ctSavedState, 0, 0, 8)),
];

/** Where a packet goes no further if nothing matches. */
const ends = [t.phyToLog, t.localOutput, t.logToPhy];

/** The original direction of a tracked connection, for the pipeline to look at. */
const originals: readonly Flow[] = ([
  [t.ctOrigTpDstLoad, "ct_tp_dst", 16, undefined],
  [t.ctOrigProtoLoad, "ct_nw_proto", 8, undefined],
  [t.ctOrigNwDstLoad, "ct_nw_dst", 32, 0x0800],
  [t.ctOrigIp6DstLoad, "ct_ipv6_dst", 128, 0x86dd],
] as const satisfies readonly (readonly [number, FieldName, number, number | undefined])[]).flatMap(([table, name, bits, ethType]) =>
  [ctEstablished, ctNew].map((state) => {
    const bitsOfState = state | ctTracked;
    const match = Match.of(["ct_state", bitsOfState, bitsOfState], ...(ethType === undefined ? [] : [["eth_type", ethType] as const]));
    const copy = move(name, 0, logicalRegisters.result, 0, bits);
    // OVN says it twice for new connections; so that dumps of flows are the same, so do we.
    return fixed(table, 100, match, ...(state === ctNew ? [copy, copy] : [copy]));
  }));

export const fixedFlows = rule("fixed-flows", (node: Node) => node.self, function* (node) {
  if (ourChassis(node) === undefined) return;
  for (const flow of passages) yield Flow(flow);
  for (const flow of originals) yield Flow(flow);
  for (const table of ends) yield Flow(otherwise(table, ...drop(node, table)));
});
