/**
 * Actions made ready to run: fields resolved to words of the flow key, constants spread over them.
 * Done once, when a flow comes in; what the switch cannot do is refused here, with OpenFlow's error and its own words.
 */
import { type Action, type Bundle, type Field, type FieldValue, OfError, type Prerequisite, type Subfield } from "../../openflow/index.ts";
import { placeNamed, placeOf, spread, tunMetadataFields, W } from "../flow/flow-key.ts";

/** What a packet must be for a step to have an effect; `ports`: of a protocol that has ports. */
export type Requirement = Prerequisite | "ports";

/** Bits of the key from `bit` (counted from the field's least significant) on. */
export interface Slice {
  /** The word that holds the field's least significant bits, and where they begin in it. */
  readonly lastWord: number;
  readonly shift: number;
  readonly bit: number;
  readonly bits: number;
  readonly prerequisite: Prerequisite;
}

/** Sets bits of the key to constants. */
export interface Write {
  readonly kind: "write";
  readonly words: readonly number[];
  readonly masks: readonly number[];
  readonly values: readonly number[];
  readonly prerequisite: Requirement;
}

type Ready = Extract<
  Action,
  {
    kind:
      | "output" | "output_trunc" | "controller" | "group" | "push_vlan" | "pop_vlan" | "dec_ttl" | "resubmit" | "conjunction"
      | "note" | "exit" | "ct_clear" | "meter" | "clear_actions" | "goto_table" | "learn" | "sample" | "set_queue" | "pop_queue" | "enqueue";
  }
>;

/** `action`: what it was made of, where it is not that itself; for showing. */
export type Step = PlainStep & { readonly action?: Action };

type PlainStep =
  | Write
  | { readonly kind: "move"; readonly from: Slice; readonly to: Slice }
  | { readonly kind: "push"; readonly from: Slice }
  | { readonly kind: "pop"; readonly to: Slice }
  | { readonly kind: "output_reg"; readonly from: Slice; readonly maxLength: number }
  | { readonly kind: "set_vlan"; readonly mask: number; readonly value: number }
  | { readonly kind: "clone"; readonly steps: readonly Step[] }
  | { readonly kind: "write_actions"; readonly steps: readonly Step[] }
  | { readonly kind: "delete_field"; readonly word: number }
  | { readonly kind: "check_pkt_larger"; readonly size: number; readonly to: Slice }
  | ConnectionStep
  | BundleStep
  | Ready;

/** `into`: where the chosen port's number goes; absent: the packet goes out of it. */
export type BundleStep = Pick<Bundle, "kind" | "fields" | "basis" | "algorithm" | "members"> & { readonly into: Slice | undefined };

export interface ConnectionStep {
  readonly kind: "ct";
  readonly commit: boolean;
  readonly force: boolean;
  readonly zone: number | Slice;
  readonly table: number | undefined;
  /** What is committed to ct_mark and ct_label, and the translation wished. */
  readonly exec: readonly Step[];
  readonly nat: Extract<Action, { kind: "nat" }> | undefined;
}

/** A flow's or bucket's actions, with the text's own list kept for showing. */
export interface Program {
  readonly actions: readonly Action[];
  readonly steps: readonly Step[];
}

export function compile(actions: readonly Action[]): Program | OfError {
  const steps: Step[] = [];
  for (const action of actions) {
    const step = compileOne(action);
    if (step instanceof OfError) return step;
    steps.push(step === action ? step : { ...step, action });
  }
  return { actions, steps };
}

/** Actions that are ready as they stand. */
const readyKinds: ReadonlySet<Action["kind"]> = new Set<Ready["kind"]>([
  "output", "output_trunc", "controller", "group", "push_vlan", "pop_vlan", "dec_ttl", "resubmit", "conjunction", "note", "exit", "ct_clear", "meter",
  "clear_actions", "goto_table", "learn", "sample", "set_queue", "pop_queue", "enqueue",
]);
const isReady = (action: Action): action is Ready => readyKinds.has(action.kind);

function compileOne(action: Action): PlainStep | OfError {
  if (isReady(action)) return action;
  switch (action.kind) {
    case "set_field":
      return writeOf(action.field, action.value, action.mask);
    case "move":
      return withSlices(action.from, action.to, (from, to) => ({ kind: "move", from, to }));
    case "push":
      return withSlice(action.from, (from) => ({ kind: "push", from }));
    case "pop":
      return withSlice(action.to, (to) => ({ kind: "pop", to }));
    case "output_reg":
      return withSlice(action.from, (from) => ({ kind: "output_reg", from, maxLength: action.maxLength }));
    case "check_pkt_larger":
      return withSlice(action.to, (to) => ({ kind: "check_pkt_larger", size: action.size, to }));
    case "clone":
    case "write_actions": {
      const inner = compile(action.actions);
      return inner instanceof OfError ? inner : { kind: action.kind, steps: inner.steps };
    }
    case "delete_field": {
      const place = placeOf(action.field);
      return place !== undefined && action.field.isVariable ? { kind: "delete_field", word: place.word } : cannot(action.field.name);
    }
    case "ct":
      return compileCt(action);
    case "bundle":
      return action.to === undefined ? { ...action, into: undefined } : withSlice(action.to, (into) => ({ ...action, into }));
    default:
      return compileOldWrite(action);
  }
}

/** The actions of OpenFlow 1.0 that set a field, each with a name of its own. */
function compileOldWrite(action: Action): PlainStep | OfError {
  switch (action.kind) {
    case "write_metadata":
      return constant("metadata", action.value, action.mask);
    case "set_tunnel":
      return constant("tun_id", action.id);
    case "mod_dl_src":
      return constant("eth_src", action.mac);
    case "mod_dl_dst":
      return constant("eth_dst", action.mac);
    case "mod_nw_src":
      return constant("ip_src", action.ip, undefined, "ipv4");
    case "mod_nw_dst":
      return constant("ip_dst", action.ip, undefined, "ipv4");
    case "mod_nw_tos":
      return constant("nw_tos", action.tos, 0xfc, "ip");
    case "mod_nw_ecn":
      return constant("nw_ecn", action.ecn, undefined, "ip");
    case "mod_nw_ttl":
      return constant("nw_ttl", action.ttl, undefined, "ip");
    case "mod_tp_src":
      return constant("tcp_src", action.port, undefined, "ports");
    case "mod_tp_dst":
      return constant("tcp_dst", action.port, undefined, "ports");
    case "set_vlan_vid":
      return { kind: "set_vlan", mask: 0xfff, value: action.vid & 0xfff };
    case "set_vlan_pcp":
      return { kind: "set_vlan", mask: 0xe000, value: (action.pcp & 7) << 13 };
    default:
      return new OfError("OFPBAC_BAD_TYPE", `this switch has no action ${action.kind}`);
  }
}

function compileCt(action: Extract<Action, { kind: "ct" }>): Step | OfError {
  if (action.alg !== 0) return new OfError("NXBAC_CT_DATAPATH_SUPPORT", "this switch has no application-layer gateways (alg)");
  const exec: Step[] = [];
  let nat: Extract<Action, { kind: "nat" }> | undefined;
  for (const inner of action.exec) {
    if (inner.kind === "nat") nat = inner;
    else {
      const step = compileOne(inner);
      if (step instanceof OfError) return step;
      if (step.kind !== "write" && step.kind !== "move") return new OfError("OFPBAC_BAD_ARGUMENT", `${inner.kind} inside ct(exec)`);
      exec.push(step);
    }
  }
  const zone = action.zone.kind === "immediate" ? action.zone.zone : sliceOf(action.zone.from);
  if (zone instanceof OfError) return zone;
  return { kind: "ct", commit: action.commit, force: action.force, zone, table: action.table, exec, nat };
}

const cannot = (field: string): OfError => new OfError("OFPBAC_BAD_SET_TYPE", `this switch has no field ${field}`);

function constant(name: string, value: FieldValue, mask?: FieldValue, prerequisite: Requirement = "none"): Write | OfError {
  const place = placeNamed(name);
  return place === undefined ? cannot(name) : writeTo(place, value, mask ?? -1n, prerequisite);
}

function writeOf(field: Field, value: FieldValue, mask: FieldValue): Step | OfError {
  const vlan = vlanWrite(field, value, mask);
  if (vlan !== undefined) return vlan;
  const place = placeOf(field);
  if (place === undefined) return cannot(field.name);
  const write = writeTo(place, value, field.isVariable && mask === field.full ? 0xffff_ffffn : mask, field.prerequisite);
  if (place.word < W.tunMetadata || place.word >= W.tunMetadata + tunMetadataFields) return write;
  const bit = 1 << (place.word - W.tunMetadata);
  return {
    ...write, words: [...write.words, W.tunMetadataPresent], masks: [...write.masks, bit], values: [...write.values, bit],
  };
}

function vlanWrite(field: Field, value: FieldValue, mask: FieldValue): Step | undefined {
  if (placeOf(field)?.word !== W.vlan) return undefined;
  const v = Number(value);
  const m = Number(mask);
  switch (field.name) {
    case "vlan_tci":
      return { kind: "set_vlan", mask: m & 0xffff, value: v & 0xffff };
    case "dl_vlan":
    case "vlan_vid":
      return { kind: "set_vlan", mask: m & 0xfff, value: v & 0xfff };
    case "dl_vlan_pcp":
    case "vlan_pcp":
      return { kind: "set_vlan", mask: (m & 7) << 13, value: (v & 7) << 13 };
    default:
      return undefined;
  }
}

function writeTo(place: Parameters<typeof spread>[0], value: FieldValue, mask: FieldValue, prerequisite: Requirement): Write {
  const words: number[] = [];
  const masks: number[] = [];
  const values: number[] = [];
  spread(place, mask, (word, bits) => {
    words.push(word);
    masks.push(bits);
  });
  spread(place, value, (_word, bits) => values.push(bits));
  return { kind: "write", words, masks, values: values.map((v, i) => (v & (masks[i] ?? 0)) >>> 0), prerequisite };
}

export function sliceOf({ field, offset, bits }: Subfield): Slice | OfError {
  const place = placeOf(field);
  if (place === undefined || (field.isVariable && offset + bits > 32 && offset > 0)) return cannot(field.name);
  const lastWord = place.word + Math.ceil(place.width / 32) - 1;
  return { lastWord, shift: place.shift, bit: offset, bits: Math.min(bits, place.width - offset), prerequisite: field.prerequisite };
}

function withSlice(subfield: Subfield, make: (slice: Slice) => Step): Step | OfError {
  const slice = sliceOf(subfield);
  return slice instanceof OfError ? slice : make(slice);
}

function withSlices(a: Subfield, b: Subfield, make: (a: Slice, b: Slice) => Step): Step | OfError {
  const first = sliceOf(a);
  if (first instanceof OfError) return first;
  const second = sliceOf(b);
  return second instanceof OfError ? second : make(first, second);
}
