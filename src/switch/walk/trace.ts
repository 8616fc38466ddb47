/**
 * ofproto/trace (ovs-vswitchd(8)): a walk for a packet that is only described, told step by step. Nothing is sent, learned
 * or counted. A packet that would come back from the connection tracker is traced on as a new connection's (trk|new).
 */
import { type Action, formatAction, formatMatch, formatPort, type Match } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { DatapathAction, FrozenState } from "../packet/datapath-action.ts";
import { formatDatapathActions, type PortTexts } from "../packet/datapath-action-text.ts";
import type { Datapath } from "../datapath.ts";
import { ctStateBit, W } from "../flow/flow-key.ts";
import type { FlowRule } from "../flow/flow-rule.ts";
import { shownMask } from "../flow/shown-mask.ts";
import { matchOfKey } from "../flow/key-match.ts";
import type { Packet } from "../packet/packet.ts";
import type { Step } from "./program.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import type { Walk, WalkTracer } from "./walk.ts";

const maxRecirculations = 64;
const rulerWidth = 79;

class TraceText implements WalkTracer {
  readonly lines: string[] = [];
  /** Of actions. */
  #level = 1;
  #bridgeLevels = 0;

  enterBridge(name: string): void {
    this.#bridgeLevels++;
    const indent = "    ".repeat(this.#bridgeLevels > 1 ? this.#level : 0);
    this.lines.push("", `${indent}bridge("${name}")`, `${indent}${"-".repeat(`bridge("${name}")`.length)}`);
  }

  enterTable(table: number, rule: FlowRule | undefined, isNested: boolean): void {
    const indent = "    ".repeat(isNested ? this.#level : this.#level - 1);
    if (isNested) this.#level += 2;
    this.lines.push(`${indent}${String(table).padStart(2)}. ${rule === undefined ? "No match." : describe(rule)}`);
    if (rule === undefined || rule.program.actions.length === 0) this.#line("drop");
  }

  leaveTable(isNested: boolean): void {
    if (isNested) this.#level -= 2;
  }

  step(step: Step): void {
    const action: Action | undefined = step.action ?? asAction(step);
    if (action !== undefined) this.#line(formatAction(action));
  }

  enterBucket(id: number): void {
    this.#line(`bucket ${id}`);
    this.#level += 2;
  }

  leaveBucket(): void {
    this.#level -= 2;
  }

  note(kind: "detail" | "warning" | "error", text: string): void {
    this.#line(kind === "detail" ? ` -> ${text}` : kind === "warning" ? ` >> ${text}` : ` >>>> ${text} <<<<`);
  }

  #line(text: string): void {
    this.lines.push(`${"    ".repeat(this.#level)}${text}`);
  }
}

/** Steps that are actions as they stand have no other. */
function asAction(step: Step): Action | undefined {
  switch (step.kind) {
    case "write":
    case "move":
    case "push":
    case "pop":
    case "output_reg":
    case "set_vlan":
    case "clone":
    case "write_actions":
    case "delete_field":
    case "check_pkt_larger":
    case "ct":
      return undefined;
    default:
      return step;
  }
}

function describe(rule: FlowRule): string {
  const match = formatMatch(rule.of);
  const cookie = rule.cookie === 0n ? "" : `, cookie 0x${rule.cookie.toString(16)}`;
  return `${match}${match === "" ? "" : ", "}priority ${rule.priority}${cookie}`;
}

/** `packet` has its key filled in; it comes through `inPort`, which need not exist. */
export function traceText(datapath: Datapath, bridge: Bridge, port: SwitchPort | undefined, inPort: number, packet: Packet, names?: PortTexts): string {
  const lines: string[] = [`Flow: ${flowText(packet, inPort)}`];
  packet.key[W.inPort] = port?.datapathNumber ?? 0;
  let state: FrozenState | undefined;
  const waiting: FrozenState[] = [];
  for (let round = 0; round <= maxRecirculations; round++) {
    const tracer = new TraceText();
    tracer.enterBridge(state?.bridge.name ?? bridge.name);
    if (state !== undefined) tracer.lines.push("    thaw", `        Resuming from table ${state.table ?? 0}`);
    const walk = datapath.walkFrom(bridge, inPort, packet, state, tracer);
    const final = flowTextOf(walk.key);
    lines.push(...tracer.lines, "", `Final flow: ${final}`, megaflowText(walk, packet, state, state?.inPort ?? inPort, names === undefined ? undefined : port?.name));
    lines.push(`Datapath actions: ${formatDatapathActions(walk.actions, names)}`);
    if (walk.error !== undefined) lines.push("", `Translation failed (${walk.error}), packet is dropped.`);
    collect(walk.actions, waiting);
    const next = waiting.shift();
    if (next === undefined) break;
    state = next;
    const ruler = "=".repeat(rulerWidth);
    const title = `recirc(0x${state.id.toString(16)}) - resume conntrack with default ct_state=trk|new (use --ct-next to customize)`;
    resume(packet, walk.actions, state);
    lines.push("", ruler, title, ruler, "", `Flow: ${thawedText(packet, state)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** `inName`: the input port is shown by its name. */
function megaflowText(walk: Walk, packet: Packet, state: FrozenState | undefined, inPort: number, inName: string | undefined): string {
  const mask = shownMask(packet.key, walk.wildcards.mask);
  const shown = packet.key.slice();
  shown[W.inPort] = inPort;
  const match = formatMatch(matchOfKey(shown, mask)).replace(/^recirc_id=[^,]*,/, "");
  const megaflow = inName === undefined ? match : match.replace(`in_port=${formatPort(inPort)}`, `in_port=${inName}`);
  return `Megaflow: ${state === undefined ? "recirc_id=0" : `recirc_id=0x${state.id.toString(16)}`},eth,${megaflow}`;
}

function flowTextOf(key: Uint32Array): string {
  return formatMatch(matchOfKey(key, undefined) satisfies Match);
}

function flowText(packet: Packet, inPort: number | undefined): string {
  const key = packet.key.slice();
  key[W.inPort] = inPort ?? key[W.inPort] ?? 0;
  return flowTextOf(key);
}

/** With the registers that the packet comes back with. */
function thawedText(packet: Packet, state: FrozenState): string {
  const key = packet.key.slice();
  key.set(state.pipeline.subarray(0, W.actsetOutput));
  key[W.inPort] = state.inPort;
  return flowTextOf(key);
}

function collect(actions: readonly DatapathAction[], into: FrozenState[]): void {
  for (const action of actions) {
    if (action.kind === "recirculate") into.push(action.state);
    else if (action.kind === "clone") collect(action.actions, into);
    else if (action.kind === "check_length") collect(action.notLarger, into);
  }
}

/** Makes the described packet what it is when it comes back at `state`. */
function resume(packet: Packet, actions: readonly DatapathAction[], state: FrozenState): boolean {
  const { key } = packet;
  for (const action of actions) {
    if (action.kind === "set") {
      action.words.forEach((word, i) => {
        key[word] = ((key[word] ?? 0) & ~(action.masks[i] ?? 0)) | (action.values[i] ?? 0);
      });
    } else if (action.kind === "vlan" || action.kind === "push_vlan") key[W.vlan] = action.tci;
    else if (action.kind === "ct_clear") key.fill(0, W.ctState, W.tunId);
    else if (action.kind === "ct") {
      key[W.ctState] = ctStateBit.trk | ctStateBit.new;
      key[W.ctZone] = action.zone;
    } else if (action.kind === "recirculate" && action.state === state) {
      key[W.recircId] = state.id;
      return true;
    } else if (action.kind === "clone") {
      const before = key.slice();
      if (resume(packet, action.actions, state)) return true;
      key.set(before);
    }
  }
  return false;
}
