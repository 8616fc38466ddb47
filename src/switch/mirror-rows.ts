/** Mirror rows put into force: which of a bridge's ports they copy, and where to (vswitchd.conf.db(5), "Mirror"). */
import type { RowOf, Uuid } from "../ovsdb/index.ts";
import type { openVSwitch } from "../schemas/index.ts";
import type { ConfiguredBridge } from "./configured-bridge.ts";
import type { SwitchPort } from "./port/switch-port.ts";
import type { PortMirror } from "./port/port-mirror.ts";
import { whole } from "./walk/walk-output.ts";

type MirrorRow = RowOf<typeof openVSwitch, "Mirror">;

/** A mirror without a port to send to does nothing. */
export function applyMirrors(configured: ConfiguredBridge, rows: readonly MirrorRow[]): void {
  const portOf = (uuid: Uuid<"Port">): SwitchPort | undefined => configured.ports.get(uuid)?.port;
  const portsOf = (uuids: Iterable<Uuid<"Port">>): ReadonlySet<SwitchPort> => new Set([...uuids].map(portOf).filter((port) => port !== undefined));
  const mirrors: PortMirror[] = [];
  for (const row of rows) {
    const output = row.output_port === undefined ? undefined : portOf(row.output_port);
    if (output === undefined) continue;
    mirrors.push({
      name: row.name, selectsAll: row.select_all, sources: portsOf(row.select_src_port), destinations: portsOf(row.select_dst_port),
      vlans: row.select_vlan, output, maxLength: row.snaplen ?? whole,
    });
  }
  const { bridge } = configured;
  if (textOf(mirrors) === textOf(bridge.mirrors)) return;
  bridge.mirrors = mirrors;
  bridge.generation++;
}

const numbers = (ports: ReadonlySet<SwitchPort>): string => [...ports].map((port) => port.datapathNumber).sort((a, b) => a - b).join();

const textOf = (mirrors: readonly PortMirror[]): string =>
  mirrors.map((m) => [m.name, m.selectsAll, numbers(m.sources), numbers(m.destinations), [...m.vlans].sort((a, b) => a - b).join(), m.output.datapathNumber, m.maxLength].join(" ")).join("\n");

/** What a mirror asks for that this switch does not do. */
export function missingOfMirror(row: MirrorRow): readonly string[] {
  return [...(row.output_vlan === undefined ? [] : ["output_vlan"]), ...(row.filter === undefined ? [] : ["filter"])];
}
