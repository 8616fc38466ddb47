/** Where the packet goes (ovs-actions(7), "Output Actions"): ports, groups, and the queues that it waits in there. */
import type { Action, ActionOf } from "./action.ts";
import { type Forms, number } from "./form.ts";
import { checkOutputPort, headerOf, nicira, niciraWord, nothing, ofsNbits, pullNamedPart, pullPart, standard } from "./layout.ts";
import { hasNxmHeader, putHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield } from "../match/subfield.ts";
import { formatPort, parsePort, portFromWire, ports, portToWire } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { Complaint, parseBounded, splitKeyValues } from "../text-input.ts";

/** `output:PORT`, `output:FIELD[..]`, `output(port=PORT,max_len=N)`. */
function parseOutput(value: string, complaint: Complaint): Action | undefined {
  if (value.includes("port") && value.includes("max_len")) return parseTruncated(value, complaint);
  const port = parsePort(value);
  if (port !== undefined) return port === ports.controller ? { kind: "output", port, maxLength: 0xffff } : { kind: "output", port };
  const from = parseSubfield(value, new Complaint());
  return from === undefined ? complaint.say(`${value}: output to unknown port`) : { kind: "output_reg", from, maxLength: 0xffff };
}

function parseTruncated(value: string, complaint: Complaint): Action | undefined {
  const pairs = new Map(splitKeyValues(value).map((p) => [p.key, p.value]));
  const [port, maxLength] = [parsePort(pairs.get("port") ?? ""), parseBounded(pairs.get("max_len") ?? "", 32, "max_len", complaint)];
  if (port === undefined) return complaint.say(`output to unknown truncate port: ${pairs.get("port")}`);
  if (maxLength === undefined) return undefined;
  if (maxLength < 14) return complaint.say(`max_len ${maxLength} is less than the minimum value 14`);
  return { kind: "output_trunc", port, maxLength };
}

function parseEnqueue(value: string, complaint: Complaint): Action | undefined {
  const match = /^([^:q,]+)[:q,]+(.+)$/.exec(value);
  const [port, queue] = [parsePort(match?.[1] ?? ""), parseBounded(match?.[2] ?? "", 32, "queue", complaint)];
  if (port === undefined) return complaint.say('"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"');
  return queue === undefined ? undefined : { kind: "enqueue", port, queue };
}

function formatOutput({ port, maxLength }: ActionOf<"output">): string {
  if (port === ports.controller) return `CONTROLLER:${maxLength ?? 0}`;
  return port < ports.max ? `output:${port}` : formatPort(port);
}

const putOutput = (w: WireWriter, port: number, maxLength = 0): void => standard(w, 0, () => (w.u32(portToWire(port)), w.u16(maxLength), w.zeros(6)));
const putQueue = (w: WireWriter, queue: number): void => standard(w, 21, () => w.u32(queue));

const outputTo = (port: number, maxLength: number): Action =>
  port === ports.controller || maxLength !== 0 ? { kind: "output", port, maxLength } : { kind: "output", port };

function encodeOutputReg(w: WireWriter, { from, maxLength }: ActionOf<"output_reg">): void {
  if (hasNxmHeader(from.field)) return nicira(w, 15, () => (w.u16(ofsNbits(from)), w.u32(headerOf(w, from)), w.u16(maxLength)), 24);
  nicira(w, 32, () => (w.u16(ofsNbits(from)), w.u16(maxLength), putHeader(w, from.field, 0)), 24);
}

function decodeOutputReg(r: WireReader): Action | undefined {
  const from = pullPart(r, r.u16());
  const maxLength = r.u16();
  r.zeros(6, "OFPBAC_BAD_ARGUMENT");
  return from && { kind: "output_reg", from, maxLength };
}

function decodeOutputReg2(r: WireReader): Action | undefined {
  const [packed, maxLength] = [r.u16(), r.u16()];
  const from = pullNamedPart(r, packed);
  r.zeros(r.remaining, "NXBRC_MUST_BE_ZERO");
  return from && { kind: "output_reg", from, maxLength };
}

export const outputs: Forms<"output" | "output_trunc" | "output_reg" | "group"> = {
  output: {
    parse: { output: parseOutput },
    format: formatOutput,
    encode: (w, { port, maxLength }) => putOutput(w, port, maxLength),
    standard: { 0: (r) => outputTo(checkOutputPort(r, portFromWire(r.u32())), r.u16()) },
    of10: {
      encode: (w, { port, maxLength }) => standard(w, 0, () => (w.u16(port), w.u16(maxLength ?? 0))),
      standard: { 0: (r) => outputTo(checkOutputPort(r, r.u16()), r.u16()) },
    },
    inActionSet: true,
  },
  output_trunc: {
    parse: {},
    format: ({ port, maxLength }) => `output(port=${formatPort(port)},max_len=${maxLength})`,
    encode: (w, { port, maxLength }) => nicira(w, 39, () => (w.u16(port), w.u32(maxLength))),
    nicira: { 39: (r) => ({ kind: "output_trunc", port: checkOutputPort(r, r.u16()), maxLength: r.u32() }) },
    inActionSet: true,
  },
  output_reg: {
    parse: {},
    format: ({ from }) => `output:${formatSubfield(from)}`,
    encode: encodeOutputReg,
    nicira: { 15: decodeOutputReg, 32: decodeOutputReg2 },
    inActionSet: true,
  },
  group: {
    parse: number(["group"], 32, (group) => ({ kind: "group", group })),
    format: ({ group }) => `group:${group}`,
    encode: (w, { group }) => standard(w, 22, () => w.u32(group)),
    standard: { 22: (r) => ({ kind: "group", group: r.u32() }) },
    of10: {
      encode: (w, { group }) => nicira(w, 40, () => (w.zeros(2), w.u32(group))),
      nicira: { 40: (r) => (r.skip(2), { kind: "group", group: r.u32() }) },
    },
    inActionSet: true,
  },
};

function decodeEnqueue(r: WireReader): Action {
  const port = checkOutputPort(r, r.u16());
  r.skip(6);
  return { kind: "enqueue", port, queue: r.u32() };
}

export const queues: Forms<"enqueue" | "set_queue" | "pop_queue"> = {
  enqueue: {
    parse: { enqueue: parseEnqueue },
    format: ({ port, queue }) => `enqueue:${formatPort(port)}:${queue}`,
    encode: (w, { port, queue }) => {
      putQueue(w, queue);
      putOutput(w, port, 0xffff);
      nicira(w, 5, nothing);
    },
    of10: {
      encode: (w, { port, queue }) => standard(w, 11, () => (w.u16(port), w.zeros(6), w.u32(queue))),
      standard: { 11: decodeEnqueue },
    },
  },
  set_queue: {
    parse: number(["set_queue"], 32, (queue) => ({ kind: "set_queue", queue })),
    format: ({ queue }) => `set_queue:${queue}`,
    encode: (w, { queue }) => putQueue(w, queue),
    standard: { 21: (r) => ({ kind: "set_queue", queue: r.u32() }) },
    of10: {
      encode: (w, { queue }) => nicira(w, 4, () => (w.zeros(2), w.u32(queue))),
      nicira: { 4: (r) => (r.skip(2), { kind: "set_queue", queue: r.u32() }) },
    },
    inActionSet: true,
  },
  pop_queue: niciraWord({ kind: "pop_queue" }, 5),
};
