/**
 * What a bridge does that no controller tells what to do (vswitchd.conf.db(5), Bridge.fail_mode): as `standalone` it learns and
 * floods by one flow of its own, as `secure` it does nothing. Whoever comes to rule it, or goes, finds no flows of before.
 */
import { type FlowMod, Match, noBuffer, ports as reserved } from "../openflow/index.ts";
import type { Bridge } from "./bridge.ts";
import type { BridgeService } from "./openflow/bridge-service.ts";

const everyPacket: FlowMod = {
  kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 0, bufferId: noBuffer,
  outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions: [{ kind: "output", port: reserved.normal }],
};
const everyFlow: FlowMod = { ...everyPacket, command: "delete", table: 0xff, actions: [] };

export function applyFailMode(bridge: Bridge, service: BridgeService, failMode: Bridge["failMode"], isControlled: boolean): void {
  const before = bridge.isControlled;
  const isOther = before !== isControlled || (!isControlled && failMode !== bridge.failMode);
  bridge.failMode = failMode;
  bridge.isControlled = isControlled;
  if (!isOther) return;
  if (before !== undefined) service.install(everyFlow);
  if (!isControlled && failMode === "standalone") service.install(everyPacket);
}
