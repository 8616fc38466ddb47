/** The packet, or as much of it as is asked for, to a controller (ovs-actions(7), "The controller action"). */
import { type Action, type Controller, type PacketInReason, packetInReasons } from "./action.ts";
import type { Forms } from "./form.ts";
import { dotted, parseHexBytes } from "./hex-bytes.ts";
import { nicira, nothing } from "./layout.ts";
import { ports } from "../message/port.ts";
import { pullProperties, putProperty } from "../message/property.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, parseBounded, splitKeyValues } from "../text-input.ts";

const plain: Controller = { kind: "controller", maxLength: 0xffff, controllerId: 0, reason: "action" };
const none = new Uint8Array(0);
const reasonOf = (number: number): PacketInReason => packetInReasons[number] ?? "action";

/** An output to the port CONTROLLER says as much. */
const isOutput = (a: Controller): boolean => a.reason === "action" && a.controllerId === 0 && a.pause !== true && (a.meterId ?? 0) === 0;

function parseController(text: string, complaint: Complaint): Action | undefined {
  if (/^\d+$/.test(text)) {
    const maxLength = parseBounded(text, 16, "max_len", complaint);
    return maxLength === undefined ? undefined : { kind: "output", port: ports.controller, maxLength };
  }
  let action = plain;
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "reason") {
      const reason = packetInReasons.find((r) => r === value);
      if (reason === undefined) return complaint.say(`unknown reason "${value}"`);
      action = { ...action, reason };
    } else if (key === "max_len") action = { ...action, maxLength: parseBounded(value, 16, "max_len", complaint) ?? 0 };
    else if (key === "id") action = { ...action, controllerId: parseBounded(value, 16, "id", complaint) ?? 0 };
    else if (key === "pause") action = { ...action, pause: true };
    else if (key === "meter_id") action = { ...action, meterId: parseBounded(value, 32, "meter_id", complaint) ?? 0 };
    else if (key === "userdata") {
      const userdata = parseHexBytes(value);
      if (userdata === undefined) return complaint.say("bad hex digit in `controller' action `userdata'");
      action = { ...action, userdata };
    } else return complaint.say(`unknown key "${key}" parsing controller action`);
  }
  return isOutput(action) && action.userdata === undefined ? { kind: "output", port: ports.controller, maxLength: action.maxLength } : action;
}

function formatController(a: Controller): string {
  const { userdata = none } = a;
  if (isOutput(a) && userdata.length === 0) return `CONTROLLER:${a.maxLength}`;
  const parts = [
    a.reason === "action" ? [] : [`reason=${a.reason}`],
    a.maxLength === 0xffff ? [] : [`max_len=${a.maxLength}`],
    a.controllerId === 0 ? [] : [`id=${a.controllerId}`],
    userdata.length === 0 ? [] : [`userdata=${dotted(userdata)}`],
    a.pause === true ? ["pause"] : [],
    (a.meterId ?? 0) === 0 ? [] : [`meter_id=${a.meterId}`],
  ];
  return `controller(${parts.flat().join(",")})`;
}

function encodeController(w: WireWriter, action: Controller): void {
  const reason = packetInReasons.indexOf(action.reason);
  const { userdata = none } = action;
  if (userdata.length === 0 && action.pause !== true && (action.meterId ?? 0) === 0) {
    return nicira(w, 20, () => (w.u16(action.maxLength), w.u16(action.controllerId), w.u8(reason)));
  }
  nicira(w, 37, () => {
    w.zeros(6);
    if (action.maxLength !== 0xffff) putProperty(w, 0, () => (w.u16(action.maxLength), w.zeros(2)));
    if (action.controllerId !== 0) putProperty(w, 1, () => (w.u16(action.controllerId), w.zeros(2)));
    if (action.reason !== "action") putProperty(w, 2, () => w.u8(reason));
    if (userdata.length > 0) putProperty(w, 3, () => w.raw(userdata));
    if (action.pause === true) putProperty(w, 4, nothing);
    if ((action.meterId ?? 0) !== 0) putProperty(w, 5, () => w.u32(action.meterId ?? 0));
  });
}

function decodeController(r: WireReader): Action {
  const [maxLength, controllerId, reason] = [r.u16(), r.u16(), r.u8()];
  return { kind: "controller", maxLength, controllerId, reason: reasonOf(reason) };
}

function decodeController2(r: WireReader): Action {
  r.zeros(6, "NXBRC_MUST_BE_ZERO");
  let action = plain;
  pullProperties(r, (type, property) => {
    if (type === 0) action = { ...action, maxLength: property.u16() };
    else if (type === 1) action = { ...action, controllerId: property.u16() };
    else if (type === 2) action = { ...action, reason: reasonOf(property.u8()) };
    else if (type === 3) action = { ...action, userdata: property.rest().slice() };
    else if (type === 4) action = { ...action, pause: true };
    else if (type === 5) action = { ...action, meterId: property.u32() };
    else return false;
    return true;
  });
  return action;
}

export const controllers: Forms<"controller"> = {
  controller: {
    parse: { controller: parseController },
    format: formatController,
    encode: encodeController,
    nicira: { 20: decodeController, 37: decodeController2 },
  },
};
