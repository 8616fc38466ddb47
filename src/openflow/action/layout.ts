/**
 * How actions are laid out on the wire (OpenFlow 1.5, section 7.2.6; OVS's nicira-ext):
 *
 *     | type (2) | length (2) | body ..., zeros to 8 bytes                                   |
 *     |  0xffff  | length (2) | vendor (4) | subtype (2) | body ..., zeros to 8 bytes        |
 *
 * and what many of them hold: parts of fields, named by a 32-bit header with `ofs_nbits`, or by a header of any length.
 */
import type { Action } from "./action.ts";
import { always, type Form } from "./form.ts";
import type { Field } from "../match/field.ts";
import { fieldOfNxmHeader, nxmHeader, pullFieldName } from "../match/oxm.ts";
import type { Subfield } from "../match/subfield.ts";
import { ports } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

export const niciraVendor = 0x2320;
export const onfVendor = 0x4f4e4600;

/** The end of an action that began at `start`: zeros to 8 bytes, and its length. */
export function finish(w: WireWriter, start: number): void {
  w.pad(start);
  w.setU16(start + 2, w.size - start);
}

/** Of a standard action: type, then `body`, then the length filled in and zeros to 8 bytes. */
export function standard(w: WireWriter, type: number, body: () => void): void {
  const start = w.size;
  w.u16(type);
  w.u16(0);
  body();
  finish(w, start);
}

/** Of a Nicira action: the same with vendor and subtype. `size`: the least it has. */
export function nicira(w: WireWriter, subtype: number, body: () => void, size = 16): void {
  const start = w.size;
  w.u16(0xffff);
  w.u16(0);
  w.u32(niciraVendor);
  w.u16(subtype);
  body();
  if (w.size - start < size) w.zeros(size - (w.size - start));
  finish(w, start);
}

export const nothing = (): void => {};

/** An action that is a word, and on the wire a subtype of Nicira's with nothing in it. */
export const niciraWord = <A extends Action>(action: A, subtype: number): Form<A> => ({
  parse: { [action.kind]: always(action) },
  format: () => action.kind,
  encode: (w) => nicira(w, subtype, nothing),
  nicira: { [subtype]: always(action) },
});

export const ofsNbits = (s: Subfield): number => (s.offset << 6) | (s.bits - 1);

/** The part of `f` that is meant, if it lies within the field. */
export function checkSubfield(r: WireReader, f: Field | undefined, offset: number, bits: number): Subfield | undefined {
  if (f === undefined || !r.ok) return undefined;
  if (bits === 0 || offset + bits > f.bits) {
    r.fail("OFPBAC_BAD_SET_LEN", `${f.name}[${offset}..${offset + bits - 1}]`);
    return undefined;
  }
  return { field: f, offset, bits };
}

/** Part of the field whose header comes next, `ofs_nbits` known. */
export const pullPart = (r: WireReader, packed: number): Subfield | undefined => unpack(r, fieldOfNxmHeader(r, r.u32()), packed);
/** The same where the header may be of any length. */
export const pullNamedPart = (r: WireReader, packed: number): Subfield | undefined => unpack(r, pullFieldName(r), packed);

/** By what ofsNbits gives. */
export const unpack = (r: WireReader, f: Field | undefined, packed: number): Subfield | undefined =>
  checkSubfield(r, f, packed >> 6, (packed & 0x3f) + 1);

/** The 32-bit header of the field that `s` is part of. */
export const headerOf = (w: WireWriter, s: Subfield): number => nxmHeader(s.field, w);

export function checkTarget(r: WireReader, s: Subfield | undefined): Subfield | undefined {
  if (s !== undefined && !s.field.writable) r.fail("OFPBAC_BAD_SET_ARGUMENT", `${s.field.name} is read-only`);
  return s;
}

/** A port that packets can be sent to. */
export function checkOutputPort(r: WireReader, port: number | undefined): number {
  if (port === undefined || port === ports.none || (port >= ports.max && port < ports.inPort)) r.fail("OFPBAC_BAD_OUT_PORT");
  return port ?? 0;
}
