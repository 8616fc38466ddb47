/** The three actions with a grammar of their own, from the wire: ct, nat, learn. */
import type { Action, Ct, Learn, LearnSpec, Nat } from "./action.ts";
import type { FieldValue } from "../match/field.ts";
import { fieldOfNxmHeader, pullFieldName } from "../match/oxm.ts";
import type { Subfield } from "../match/subfield.ts";
import type { WireReader } from "../message/wire-reader.ts";

export function decodeCt(r: WireReader, decodeNested: (r: WireReader) => Action[]): Action | undefined {
  const [flags, source, zone] = [r.u16(), r.u32(), r.u16()];
  const commit = (flags & 1) !== 0;
  const force = (flags & 2) !== 0;
  if (force && !commit) r.fail("OFPBAC_BAD_ARGUMENT", "force without commit");
  let from: Subfield | undefined;
  if (source !== 0) {
    const f = fieldOfNxmHeader(r, source);
    const [offset, bits] = [zone >> 6, (zone & 0x3f) + 1];
    if (f !== undefined && (bits !== 16 || offset + bits > f.bits)) r.fail("OFPBAC_BAD_SET_LEN", "a zone has 16 bits");
    from = f && { field: f, offset, bits };
  }
  const table = r.u8();
  r.skip(3);
  const alg = r.u16();
  const exec = decodeNested(r.part(r.remaining));
  for (const action of exec) {
    const isNat = action.kind === "nat";
    const isMark = action.kind === "set_field" && (action.field.name === "ct_mark" || action.field.name === "ct_label");
    const isMove = action.kind === "move" && (action.to.field.name === "ct_mark" || action.to.field.name === "ct_label");
    if (!isNat && !isMark && !isMove) r.fail("OFPBAC_BAD_ARGUMENT", `${action.kind} inside ct`);
    if (!commit && !(isNat && action.direction === undefined && action.ipMin === undefined)) r.fail("OFPBAC_BAD_ARGUMENT", "ct without commit changes nothing");
  }
  const ct: Ct = {
    kind: "ct", commit, force, zone: from === undefined ? { kind: "immediate", zone } : { kind: "field", from }, alg, exec,
  };
  return table === 0xff ? ct : { ...ct, table };
}

export function decodeNat(r: WireReader): Nat | undefined {
  r.skip(2);
  const [flags, present] = [r.u16(), r.u16()];
  const bad = (): undefined => {
    r.fail("OFPBAC_BAD_ARGUMENT", "nat");
    return undefined;
  };
  if ((flags & ~0x1f) !== 0 || (flags & 3) === 3 || (flags & 24) === 24) return bad();
  const isV4 = (present & 3) !== 0;
  const isV6 = (present & 12) !== 0;
  if ((isV4 && isV6) || (present & 3) === 2 || (present & 12) === 8 || (present & 0x30) === 0x20) return bad();
  if ((present & 0x10) !== 0 && !isV4 && !isV6) return bad();
  const wanted = (isV4 ? 4 : 16) * bitCount(present & 15) + 2 * bitCount(present & 0x30);
  if (r.remaining < wanted) return bad();
  const ip = (): FieldValue => (isV6 ? r.integer(16) : r.u32());
  const ipMin = isV4 || isV6 ? ip() : undefined;
  const ipMax = (present & 10) !== 0 ? ip() : undefined;
  const portMin = (present & 16) !== 0 ? r.u16() : undefined;
  const portMax = (present & 32) !== 0 ? r.u16() : undefined;
  if (ipMin === 0 || ipMin === 0n || portMin === 0) return bad();
  if ((ipMin !== undefined && ipMax !== undefined && ipMax < ipMin) || (portMin !== undefined && portMax !== undefined && portMax < portMin)) return bad();
  return {
    kind: "nat",
    ...((flags & 1) !== 0 ? { direction: "src" as const } : (flags & 2) !== 0 ? { direction: "dst" as const } : {}),
    ...((flags & 4) !== 0 && { persistent: true }),
    ...((flags & 8) !== 0 && { hash: true }),
    ...((flags & 16) !== 0 && { random: true }),
    ...(ipMin !== undefined && { ipMin, family: isV6 ? 6 as const : 4 as const }),
    ...(ipMax !== undefined && { ipMax }),
    ...(portMin !== undefined && { portMin }),
    ...(portMax !== undefined && { portMax }),
  };
}

const bitCount = (value: number): number => value.toString(2).replaceAll("0", "").length;

export function decodeLearn(r: WireReader, isExtended: boolean): Learn | undefined {
  const [idleTimeout, hardTimeout, priority, cookie, flags, table] = [r.u16(), r.u16(), r.u16(), r.u64(), r.u16(), r.u8()];
  r.zeros(1, "OFPBAC_BAD_ARGUMENT");
  const [finIdleTimeout, finHardTimeout] = [r.u16(), r.u16()];
  if (table === 0xff || (flags & ~(isExtended ? 7 : 3)) !== 0) r.fail("OFPBAC_BAD_ARGUMENT", "learn");
  let limit = 0;
  let result: Subfield | undefined;
  if (isExtended) {
    limit = r.u32();
    const offset = r.u16();
    r.zeros(2, "NXBAC_MUST_BE_ZERO");
    if ((flags & 4) !== 0) {
      const f = pullFieldName(r);
      if (f !== undefined && !f.writable) r.fail("OFPBAC_BAD_SET_ARGUMENT");
      result = f && { field: f, offset, bits: 1 };
    } else if (offset !== 0) r.fail("OFPBAC_BAD_ARGUMENT");
  }
  const specs: LearnSpec[] = [];
  while (r.remaining >= 2) {
    const header = r.u16();
    if (header === 0) break;
    const spec = decodeLearnSpec(r, header);
    if (spec !== undefined) specs.push(spec);
  }
  r.zeros(r.remaining, "OFPBAC_BAD_ARGUMENT");
  if (!r.ok) return undefined;
  return {
    kind: "learn", idleTimeout, hardTimeout, finIdleTimeout, finHardTimeout, priority, cookie, table, limit, specs,
    sendFlowRemoved: (flags & 1) !== 0, deleteLearned: (flags & 2) !== 0, ...(result !== undefined && { result }),
  };
}

function decodeLearnSpec(r: WireReader, header: number): LearnSpec | undefined {
  const bits = header & 0x3ff;
  const isImmediate = (header & (1 << 13)) !== 0;
  const to = (["match", "load", "output"] as const)[(header >> 11) & 3];
  if (to === undefined || (to === "output" && isImmediate) || bits === 0) {
    r.fail("OFPBAC_BAD_ARGUMENT", "learn");
    return undefined;
  }
  const pull = (): Subfield | undefined => {
    const f = fieldOfNxmHeader(r, r.u32());
    const offset = r.u16();
    if (f !== undefined && offset + bits > f.bits) r.fail("OFPBAC_BAD_SET_LEN", `${f.name}[${offset}..${offset + bits - 1}]`);
    return f && { field: f, offset, bits };
  };
  const source = isImmediate ? undefined : pull();
  const value = isImmediate ? r.integer(2 * Math.ceil(bits / 16)) : 0n;
  const target = to === "output" ? undefined : pull();
  if (!r.ok) return undefined;
  const from = source === undefined ? { kind: "immediate" as const, value } : { kind: "field" as const, source };
  return { to, from, bits, ...(target !== undefined && { target }) };
}
