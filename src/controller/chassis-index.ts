/**
 * Several controllers may share a switch, each a chassis of its own: other_config:ovn-chassis-idx-<name> gives each an index,
 * by which the names of their tunnels differ. The first one's is empty (controller/chassis.c).
 */
import { rule } from "../engine/index.ts";
import type { Ground } from "./bridge.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import { ovsRow, type SettingsSource, systemIdOf } from "./settings.ts";

const prefix = "ovn-chassis-idx-";
const indices = ["", ..."0123456789abcdefghijklmnopqrstuvwxyz"];

export const chassisIndexOf = (node: SettingsSource): string => ovsRow(node)?.other_config.get(`${prefix}${systemIdOf(node) ?? ""}`) ?? "";

export const chassisIndex = rule("chassis-index", (ground: Ground) => ground.self, function* (ground) {
  const [row, name] = [ovsRow(ground), systemIdOf(ground)];
  if (row === undefined || name === undefined || row.other_config.has(`${prefix}${name}`)) return;
  const taken = new Set([...row.other_config].flatMap(([key, value]) => (key.startsWith(prefix) ? [value] : [])));
  const index = indices.find((i) => !taken.has(i));
  if (index === undefined) {
    ground.host.log.module("chassis").err("All unique controller indices consumed.");
    return;
  }
  yield OpenVswitchRepair({
    key: `index of ${name}: ${index}, after ${[...taken].join()}`,
    apply: (txn) => {
      // Another controller may be taking the same one.
      txn.verify(row, ["other_config"]);
      txn.mutate(row, "other_config", "insert", new Map([[`${prefix}${name}`, index]]));
    },
  });
});

/** The chassis is gone: another may have its index. */
export async function releaseChassisIndex(ground: Ground): Promise<void> {
  const [row, name] = [ovsRow(ground), systemIdOf(ground)];
  if (row === undefined || name === undefined || !row.other_config.has(`${prefix}${name}`) || !ground.ovs.status.isConnected) return;
  const txn = ground.ovs.transaction();
  txn.comment(`ovn-controller: unregistering chassis index for '${name}'`);
  txn.mutate(row, "other_config", "delete", [`${prefix}${name}`]);
  await txn.commit();
}
