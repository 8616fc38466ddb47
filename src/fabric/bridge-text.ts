/** What a learning bridge says of itself, as brctl(8) prints it. */
import { formatMac } from "../net/index.ts";
import type { LearningBridge } from "./learning-bridge.ts";

/** `brctl showmacs BRIDGE`. A port's own address stands twice, for no VLAN and for its untagged one, as the kernel keeps it. */
export function showMacs(bridge: LearningBridge): string {
  const lines = bridge.list().flatMap(({ mac, port, isLocal, ageMs }) => {
    const line = `${String(port.number).padStart(3)}\t${formatMac(mac)}\t${isLocal ? "yes" : "no"}\t\t${timer(ageMs)}\n`;
    return isLocal ? [line, line] : [line];
  });
  return `port no\tmac addr\t\tis local?\tageing timer\n${lines.join("")}`;
}

const timer = (ms: number): string => `${String(Math.floor(ms / 1000)).padStart(4)}.${String(Math.floor((ms % 1000) / 10)).padStart(2, "0")}`;

/** `brctl show`: bridges and their ports, by name. */
export function showBridges(bridges: Iterable<LearningBridge>): string {
  let text = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n";
  for (const bridge of bridges) {
    const ports = [...bridge.ports].map((port) => port.name).sort();
    const id = `8000.${formatMac(bridge.options.mac).replaceAll(":", "")}`;
    text += `${bridge.options.name}\t\t${id}\tno\t\t${ports[0] ?? ""}\n`;
    for (const port of ports.slice(1)) text += `\t\t\t\t\t\t\t${port}\n`;
  }
  return text;
}
