/**
 * Symbols: the names that matches and actions may use, and what stands behind each (ovn-sb(5); include/ovn/expr.h).
 *
 * A symbol is one of four things: a field of the switch, a part of another symbol (`ct.new` is `ct_state[0]`), a predicate,
 * which stands for an expression (`ip4` for `eth.type == 0x800`), or a field that only the controller can write.
 */
import type { Field } from "../openflow/index.ts";

/**
 * What may be asked of a symbol. Ordinal: any comparison. Nominal: only equality, never its negation, because the value
 * cannot be masked and "anything but 6" would take 255 flows. Boolean: a predicate over ordinal fields; may be negated.
 */
export type Level = "nominal" | "boolean" | "ordinal";

/** Where an assignment to the symbol may stand: in a plain action list, within `ct_commit { .. }`, or both. */
export type WriteScope = "default" | "ct-commit";

/** A field that ovn-controller writes by itself, since the switch cannot. */
export interface ControllerField {
  readonly name: string;
  /** Its number on the wire to the controller. */
  readonly id: number;
  readonly bytes: number;
  readonly bits: number;
  /** Whether it travels as a `note` action rather than in the userdata of a `controller` action. */
  readonly isNote: boolean;
}

export const controllerFields: readonly ControllerField[] = [
  { name: "icmp4.frag_mtu", id: 0, bytes: 2, bits: 16, isNote: true },
  { name: "icmp6.frag_mtu", id: 1, bytes: 4, bits: 32, isNote: true },
  { name: "icmp4.inner_ip4.src", id: 2, bytes: 4, bits: 32, isNote: false },
];

export interface LogicalSymbol {
  readonly name: string;
  /** In bits; 0 if the symbol holds a string (a port's name). */
  readonly width: number;
  readonly level: Level;
  /** An expression that must hold wherever the symbol is used. */
  readonly prerequisites: string | undefined;
  /** Never a dimension of a conjunctive match: the switch must see it in each flow, since other fields depend on it. */
  readonly mustCrossproduct: boolean;
  readonly writable: readonly WriteScope[];
  readonly meaning:
    | { readonly kind: "field"; readonly field: Field }
    | { readonly kind: "subfield"; readonly parent: LogicalSymbol; readonly offset: number }
    | { readonly kind: "predicate"; readonly expansion: string }
    | { readonly kind: "controller-field"; readonly field: ControllerField };
}

/** Some bits of a symbol, as `ip4.src[0..7]` names them. */
export interface FieldReference {
  readonly symbol: LogicalSymbol;
  readonly offset: number;
  /** 0 if the symbol holds a string. */
  readonly bits: number;
}

/** Some bits of a field of the switch. */
export interface Subfield {
  readonly field: Field;
  readonly offset: number;
  readonly bits: number;
}

/** `flags`, `flags[3]`, `flags[28..31]`. */
export function formatFieldReference({ symbol, offset, bits }: FieldReference): string {
  if (offset === 0 && bits === symbol.width) return symbol.name;
  return bits === 1 ? `${symbol.name}[${offset}]` : `${symbol.name}[${offset}..${offset + bits - 1}]`;
}

/** The bits of the switch's field behind `reference`; a string field is the whole of it. */
export function resolveField(reference: FieldReference): Subfield {
  let symbol = reference.symbol;
  let offset = reference.offset;
  while (symbol.meaning.kind === "subfield") {
    offset += symbol.meaning.offset;
    symbol = symbol.meaning.parent;
  }
  if (symbol.meaning.kind !== "field") throw new TypeError(`${symbol.name} is no field of the switch`);
  return { field: symbol.meaning.field, offset, bits: symbol.width === 0 ? symbol.meaning.field.bits : reference.bits };
}
