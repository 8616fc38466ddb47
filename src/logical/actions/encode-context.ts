/** What actions need to know to become the switch's, and what they write with. */
import { type Action, type Field, field, type FieldName, type FieldValue, type GroupDescription, ports, subfield, type Subfield } from "../../openflow/index.ts";
import { openflowTables } from "../openflow-tables.ts";
import type { Pipeline } from "../stages.ts";
import { type FieldReference, resolveField } from "../symbol.ts";

export type Group = Omit<GroupDescription, "group">;

export interface EncodeContext {
  /** The tunnel key of a logical port or multicast group. */
  lookupPort(name: string): number | undefined;
  /** Whether the port is bound to this chassis (ct_lb_mark_local). */
  isLocalPort(name: string): boolean;
  /** The OpenFlow port of the tunnel to the chassis of a port (fwd_group with liveness). */
  tunnelPort(name: string): number | undefined;
  readonly isSwitch: boolean;
  readonly pipeline: Pipeline;
  /** Where `output;` goes: `outputInit` from the ingress pipeline, `saveInport` from the egress one. */
  readonly outputTable: number;
  /**
   * The number of a group, allocated by its text (which group-table-list shows); undefined if none is left. `group` makes
   * the group itself.
   */
  groupId(name: string, group: () => Group): number | undefined;
  /** The number of a meter, by the name of a southbound Meter, or by the text `__string: ...` that describes one. */
  meterId(name: string): number | undefined;
  /** The meter of what goes to the controller (Logical_Flow.controller_meter). */
  readonly controllerMeter: number | undefined;
  hasCollectorSet(id: number): boolean;
  /** Logical_Flow._uuid. */
  readonly flowUuid: string;
  readonly datapathKey: number;
  /** The register with the zone of `ct_dnat_in_czone` and `ct_snat_in_czone`. */
  readonly commonNatZone: FieldName;
  /** What the switch's datapath can do. */
  readonly features: DatapathFeatures;
}

export interface DatapathFeatures {
  /** Commits with an all-zero source translation, to keep tuples apart. */
  readonly ctZeroSnat: boolean;
  readonly meters: boolean;
  /** dp_hash over layer 4. */
  readonly hashL4Symmetric: boolean;
}

/** NX_CTLR_NO_METER is what an absent meterId means on the wire. */
export const resubmit = (table: number): Action => ({ kind: "resubmit", port: ports.inPort, table });

export const firstTable = (pipeline: Pipeline): number =>
  pipeline === "ingress" ? openflowTables.logIngressPipeline : openflowTables.logEgressPipeline;

const narrow = (f: Field, value: bigint): FieldValue => (f.isWide ? value : Number(value));

/** Sets some bits of a field. */
export function setBits({ field: f, offset, bits }: Subfield, value: bigint, mask = (1n << BigInt(bits)) - 1n): Action {
  const shift = BigInt(offset);
  return { kind: "set_field", field: f, value: narrow(f, (value & mask) << shift), mask: narrow(f, mask << shift) };
}

export const move = (from: Subfield, to: Subfield): Action => ({ kind: "move", from, to });
export const push = (from: Subfield): Action => ({ kind: "push", from });
export const pop = (to: Subfield): Action => ({ kind: "pop", to });

/** An argument of a subroutine: what the caller has, and the field in which the subroutine looks for it. */
export type Argument = readonly [from: FieldReference, to: FieldName];

/** Runs `body` with the arguments in place, and puts back what they displaced. */
export function withArguments(args: readonly Argument[], body: readonly Action[]): Action[] {
  const displaced = args.map(([from, to]) => ({ from: resolveField(from), to: subfield(to) })).filter(({ from, to }) => from.field !== to.field);
  return [
    ...displaced.map(({ to }) => push(to)),
    // Sources are pushed in reverse, so that none is overwritten before it is read.
    ...displaced.toReversed().map(({ from }) => push(from)),
    ...displaced.map(({ to }) => pop(to)),
    ...body,
    ...displaced.toReversed().map(({ to }) => pop(to)),
  ];
}

export const flagBit = (bit: number): Subfield => subfield("reg10", bit, 1);

/** The UUID's first 32 bits: the cookie of the flow. */
export const cookieOf = (uuid: string): number => Number.parseInt(uuid.slice(0, 8), 16);

export const wholeField = (name: FieldName): Subfield => subfield(field(name));
