/**
 * Bridges, their ports and those ports' interfaces, by name. A port that is a "fake bridge" (ovs-vsctl(8)) stands for a VLAN
 * of its bridge: the commands treat it as a bridge whose ports are the bridge's ports with that tag.
 */
import type { RowOf } from "../../ovsdb/index.ts";
import { openVSwitch } from "../../schemas/index.ts";
import type { Context } from "../command.ts";
import { fail } from "../command-error.ts";

export type Vs = typeof openVSwitch;
export type VsContext = Context<Vs>;
export type VsRow<N extends keyof Vs["tables"] & string> = RowOf<Vs, N>;

export interface BridgeEntry {
  readonly name: string;
  /** Of a fake bridge, the bridge's. */
  readonly row: VsRow<"Bridge">;
  readonly parent: BridgeEntry | undefined;
  /** Of a fake bridge. */
  readonly vlan: number;
  readonly ports: PortEntry[];
}

export interface PortEntry {
  readonly row: VsRow<"Port">;
  readonly bridge: BridgeEntry;
  readonly interfaces: readonly VsRow<"Interface">[];
}

export const layoutReads = [
  "Open_vSwitch:bridges", "Bridge:name,controller,fail_mode,ports", "Port:name,fake_bridge,tag,interfaces", "Interface:name,ofport,error",
];

export function switchRow({ db }: VsContext): VsRow<"Open_vSwitch"> {
  return db.first("Open_vSwitch") ?? fail('no row "." in table Open_vSwitch');
}

export class Layout {
  readonly bridges = new Map<string, BridgeEntry>();
  readonly ports = new Map<string, PortEntry>();
  readonly interfaces = new Map<string, { readonly row: VsRow<"Interface">; readonly port: PortEntry }>();
  readonly #context: VsContext;

  constructor(context: VsContext) {
    this.#context = context;
    const { db } = context;
    const real = db.those("Bridge", switchRow(context).bridges);
    for (const row of real) this.#addBridge({ name: row.name, row, parent: undefined, vlan: 0, ports: [] });
    for (const row of real) {
      const parent = this.bridges.get(row.name);
      for (const port of db.those("Port", row.ports)) {
        if (isFakeBridge(port)) this.#addBridge({ name: port.name, row, parent, vlan: port.tag ?? 0, ports: [] });
      }
    }
    for (const row of real) for (const port of db.those("Port", row.ports)) this.#addPort(row, port);
  }

  #addBridge(bridge: BridgeEntry): void {
    if (this.bridges.has(bridge.name)) this.#context.warn(`${bridge.name}: database contains duplicate bridge name`);
    else this.bridges.set(bridge.name, bridge);
  }

  #addPort(bridgeRow: VsRow<"Bridge">, row: VsRow<"Port">): void {
    const real = this.bridges.get(bridgeRow.name);
    if (real === undefined || this.ports.has(row.name)) return;
    const bridge = (row.tag === undefined ? undefined : this.vlanBridge(real, row.tag)) ?? real;
    const port = { row, bridge, interfaces: this.#context.db.those("Interface", row.interfaces) };
    bridge.ports.push(port);
    this.ports.set(row.name, port);
    for (const iface of port.interfaces) this.interfaces.set(iface.name, { row: iface, port });
  }

  vlanBridge(parent: BridgeEntry, vlan: number): BridgeEntry | undefined {
    return [...this.bridges.values()].find((b) => b.parent === parent && b.vlan === vlan);
  }

  children(parent: BridgeEntry): readonly BridgeEntry[] {
    return [...this.bridges.values()].filter((b) => b.parent === parent);
  }

  findBridge(name: string): BridgeEntry | undefined {
    this.#context.db.verify(switchRow(this.#context), "bridges");
    return this.bridges.get(name);
  }

  bridge(name: string): BridgeEntry {
    return this.findBridge(name) ?? fail(`no bridge named ${name}`);
  }

  realBridge(name: string): BridgeEntry {
    const bridge = this.bridge(name);
    return bridge.parent === undefined ? bridge : fail(`${name} is a fake bridge`);
  }

  /** A bridge's local port belongs to the bridge and is none of its own. */
  findPort(name: string): PortEntry | undefined {
    this.verify();
    const port = this.ports.get(name);
    return port?.bridge.name === name ? undefined : port;
  }

  port(name: string): PortEntry {
    return this.findPort(name) ?? fail(`no port named ${name}`);
  }

  findInterface(name: string): { readonly row: VsRow<"Interface">; readonly port: PortEntry } | undefined {
    this.verify();
    const iface = this.interfaces.get(name);
    return iface?.port.bridge.name === name ? undefined : iface;
  }

  interface(name: string): { readonly row: VsRow<"Interface">; readonly port: PortEntry } {
    return this.findInterface(name) ?? fail(`no interface named ${name}`);
  }

  /** Complains if anything has the name already; `what` begins the complaint. */
  checkFree(name: string, what: string): void {
    this.verify();
    if (this.bridges.has(name)) fail(`${what} because a bridge named ${name} already exists`);
    const port = this.ports.get(name);
    if (port !== undefined) fail(`${what} because a port named ${name} already exists on bridge ${port.bridge.name}`);
    const iface = this.interfaces.get(name);
    if (iface !== undefined) fail(`${what} because an interface named ${name} already exists on bridge ${iface.port.bridge.name}`);
  }

  /** What was found must still be so when the transaction is carried out. */
  verify(): void {
    const { db } = this.#context;
    db.verify(switchRow(this.#context), "bridges");
    for (const row of db.rows("Bridge")) db.verify(row, "ports");
    for (const row of db.rows("Port")) db.verify(row, "interfaces");
  }
}

const isFakeBridge = (port: VsRow<"Port">): boolean => port.fake_bridge && port.tag !== undefined && port.tag >= 0 && port.tag <= 4095;

/** The command as it was typed, for complaints. */
export function commandText(context: VsContext, name: string): string {
  return [...context.options.keys(), name, ...context.args].join(" ");
}

export const sortedLines = (names: readonly string[]): string => [...names].sort().map((name) => `${name}\n`).join("");
