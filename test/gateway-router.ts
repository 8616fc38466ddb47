/** A gateway router with a switch on its one port, as northd writes them into the southbound database; by default it exchanges routes. */
import assert from "node:assert/strict";
import { type ChassisBench, chassisName } from "./chassis-bench.ts";

export type Options = { readonly [key: string]: string };

export class GatewayRouter {
  readonly bench: ChassisBench;
  readonly name: string;
  constructor(bench: ChassisBench, name: string) {
    this.bench = bench;
    this.name = name;
  }

  async create(key: number, options: Options = {}, ids: Options = {}): Promise<void> {
    const { bench, name } = this;
    await bench.until("chassis", () => bench.sb.tables.Chassis.size === 1);
    const here = { "l3gateway-chassis": chassisName };
    await bench.inSb((txn) => {
      const datapath = (id: string, type: "logical-router" | "logical-switch", tunnel_key: number, more: Options = {}) =>
        txn.insert("Datapath_Binding", { tunnel_key, type, external_ids: { name: id, ...more } });
      const router = datapath(name, "logical-router", key, ids);
      const network = datapath(`ls-${name}`, "logical-switch", key + 1);
      txn.insert("Port_Binding", {
        datapath: router, logical_port: `lrp-${name}`, tunnel_key: 1, type: "l3gateway",
        options: { ...here, peer: `lsp-${name}`, "dynamic-routing": "true", ...options },
      });
      txn.insert("Port_Binding", { datapath: network, logical_port: `lsp-${name}`, tunnel_key: 1, type: "l3gateway", options: { ...here, peer: `lrp-${name}` } });
    });
  }

  async advertise(ip_prefix: string, tracked?: string): Promise<void> {
    const { bench, name } = this;
    const portNamed = (wanted: string | undefined) => [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === wanted);
    await bench.until("port", () => portNamed(`lrp-${name}`) !== undefined);
    const port = portNamed(`lrp-${name}`) ?? assert.fail();
    const tracked_port = portNamed(tracked)?._uuid;
    await bench.inSb((txn) => void txn.insert("Advertised_Route", {
      datapath: port.datapath, logical_port: port._uuid, ip_prefix, ...(tracked_port === undefined ? {} : { tracked_port }),
    }));
  }
}
