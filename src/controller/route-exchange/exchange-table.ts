/** What is exchanged with which table of the kernel's: by routers, and by the ports of theirs that learn. */
import { relation } from "../../engine/index.ts";
import type { RoutingTable } from "../../host/index.ts";
import type { Uuid } from "../../ovsdb/index.ts";
import type { PortBinding } from "../rows.ts";

type DatapathUuid = Uuid<"Datapath_Binding">;

/** A router whose routes stand in a table of the kernel's. */
export interface ExchangeTable {
  readonly datapath: DatapathUuid;
  readonly table: RoutingTable;
  /** Whether the VRF is ours to make and to remove. */
  readonly maintainsVrf: boolean;
}

export const ExchangeTable = relation<ExchangeTable>("ExchangeTable", (e) => `${e.datapath} ${tableKey(e.table)} ${e.maintainsVrf}`);

/** A router port through which routes of the table are learned. */
export interface ExchangePort {
  readonly datapath: DatapathUuid;
  readonly table: RoutingTable;
  readonly port: PortBinding;
  /** Only routes by way of this network device; undefined: all. */
  readonly device: string | undefined;
  readonly learns: boolean;
}

export const ExchangePort = relation<ExchangePort>("ExchangePort", (e) =>
  `${e.datapath} ${tableKey(e.table)} ${e.port._uuid} ${e.device ?? ""} ${e.learns}`);

export const tableKey = (table: RoutingTable): string => `${table.id} ${table.vrf}`;
