/** Constants in matches and actions: numbers with or without mask, strings, and sets of either. */
import { bitLength } from "./expression.ts";
import type { Lexer } from "./lexer.ts";
import { formatConstant, type NumberFormat } from "./number-text.ts";
import { quote } from "./string-text.ts";
import type { FieldReference } from "./symbol.ts";

export interface IntegerConstant {
  readonly kind: "integer";
  readonly value: bigint;
  readonly mask: bigint | undefined;
  readonly format: NumberFormat;
  readonly addressSet: string | undefined;
}

export interface StringConstant {
  readonly kind: "string";
  readonly text: string;
}

export type Constant = IntegerConstant | StringConstant;

export interface ConstantSet {
  readonly kind: "integer" | "string";
  readonly values: readonly Constant[];
  /** Whether it was written in braces: then it means "one of". */
  readonly inCurlies: boolean;
}

/** The width that an integer constant needs at least. */
function widthOf(constant: IntegerConstant): number {
  if (constant.mask !== undefined) return bitLength(constant.mask);
  switch (constant.format) {
    case "decimal":
    case "hexadecimal": return bitLength(constant.value);
    case "IPv4": return 32;
    case "IPv6": return 128;
    case "Ethernet": return 48;
  }
}

/** `{10.0.0.1, 10.0.0.2}` as text that reads back. */
export function formatConstants({ values, inCurlies }: ConstantSet): string {
  const text = values.map((c) => (c.kind === "string" ? quote(c.text) : formatConstant(c.value, c.mask, c.format))).join(", ");
  return inCurlies || values.length !== 1 ? `{${text}}` : text;
}

/** Holds the constants against the field: numbers for numeric fields, no wider than they are. */
export function checkTypes(lexer: Lexer, { symbol }: FieldReference, { kind, values }: ConstantSet): void {
  if ((kind === "integer") !== symbol.width > 0) {
    lexer.error(`${symbol.width > 0 ? "Integer" : "String"} field ${symbol.name} is not compatible with ${kind} constant.`);
  }
  for (const constant of values) {
    if (constant.kind !== "integer") continue;
    const width = widthOf(constant);
    if (width > symbol.width) lexer.error(`${width}-bit constant is not compatible with ${symbol.width}-bit field ${symbol.name}.`);
  }
}
