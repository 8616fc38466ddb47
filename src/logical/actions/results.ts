/**
 * `field = name();`: questions without arguments. Most ask a table, which answers in a flag or a register; dns_lookup asks
 * the controller.
 */
import { type Action, type FieldName, subfield } from "../../openflow/index.ts";
import { openflowTables } from "../openflow-tables.ts";
import { flagBits, logicalRegisters } from "../registers.ts";
import { type FieldReference, resolveField } from "../symbol.ts";
import type { LogicalActionOf, ResultKind } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { Bytes, controllerOp, putResult } from "./controller-op.ts";
import { type EncodeContext, move, pop, push, resubmit, setBits } from "./encode-context.ts";

interface TableAnswer {
  readonly table: number;
  readonly register: FieldName;
  readonly offset: number;
  readonly bits: number;
  /** The register is the pipeline's too: what it holds is put back. */
  readonly saved: boolean;
}

const flag = (table: number, bit: number): TableAnswer => ({ table, register: logicalRegisters.flags, offset: bit, bits: 1, saved: false });
const register = (table: number, bits: number): TableAnswer => ({ table, register: logicalRegisters.result, offset: 0, bits, saved: true });

const answers: Readonly<Record<Exclude<ResultKind, "dns_lookup">, TableAnswer>> = {
  chk_lb_hairpin: flag(openflowTables.chkLbHairpin, flagBits.lookupLbHairpin),
  chk_lb_hairpin_reply: flag(openflowTables.chkLbHairpinReply, flagBits.lookupLbHairpin),
  check_in_port_sec: flag(openflowTables.chkInPortSec, flagBits.checkPortSec),
  check_out_port_sec: flag(openflowTables.chkOutPortSec, flagBits.checkPortSec),
  chk_ecmp_nh_mac: flag(openflowTables.ecmpNhMac, flagBits.lookupCommitEcmpNh),
  chk_ecmp_nh: flag(openflowTables.ecmpNh, flagBits.lookupCommitEcmpNh),
  chk_lb_aff: flag(openflowTables.chkLbAffinity, flagBits.useLbAffSession),
  ct_nw_dst: register(openflowTables.ctOrigNwDstLoad, 32),
  ct_ip6_dst: register(openflowTables.ctOrigIp6DstLoad, 128),
  ct_tp_dst: register(openflowTables.ctOrigTpDstLoad, 16),
  ct_proto: register(openflowTables.ctOrigProtoLoad, 8),
  ct_state_save: { table: openflowTables.ctStateSave, register: logicalRegisters.ctSavedState, offset: 0, bits: 8, saved: false },
};

export const resultKinds: readonly ResultKind[] = [
  "dns_lookup", "chk_lb_hairpin", "chk_lb_hairpin_reply", "check_in_port_sec", "check_out_port_sec", "chk_ecmp_nh_mac",
  "chk_ecmp_nh", "chk_lb_aff", "ct_nw_dst", "ct_ip6_dst", "ct_tp_dst", "ct_proto", "ct_state_save",
];

export function parseResult(parser: ActionParser, kind: ResultKind, destination: FieldReference): LogicalActionOf<ResultKind> {
  const { lexer } = parser;
  lexer.advance();
  lexer.advance();
  if (!lexer.match(")")) lexer.error(`${kind} doesn't take any parameters`);
  parser.checkField(destination, kind === "dns_lookup" ? 1 : answers[kind].bits, true);
  if (kind === "dns_lookup") parser.requireText("udp");
  return { kind, destination };
}

export function encodeResult({ kind, destination }: LogicalActionOf<ResultKind>, context: EncodeContext): Action[] {
  const to = resolveField(destination);
  if (kind === "dns_lookup") return [controllerOp("dns_lookup", context, putResult(new Bytes(), to).take(), { pause: true })];
  const { table, register: name, offset, bits, saved } = answers[kind];
  const answer = subfield(name, offset, bits);
  const save = saved && !(to.field === answer.field && to.offset === offset && to.bits === bits);
  // Sets are of 64 bits at most.
  const clear = [setBits(subfield(name, offset, Math.min(bits, 64)), 0n), ...(bits > 64 ? [setBits(subfield(name, offset + 64, bits - 64), 0n)] : [])];
  return [...(save ? [push(answer)] : []), ...clear, resubmit(table), move(answer, to), ...(save ? [pop(answer)] : [])];
}
