/** What a command of ovsdb-client is given: whom to ask, what was typed, where answers go. */
import type { Host, Process } from "../host/index.ts";
import { type DatabaseSchema, type Json, OvsdbError, type OutputTable, schemaFromJson, type TableStyle } from "../ovsdb/index.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Stay, StayManner } from "./client-stay.ts";
import { fatal } from "./fatal.ts";

export interface Call {
  readonly host: Host;
  readonly process: Process;
  readonly connection: ClientConnection;
  /** Empty for commands that need none. */
  readonly database: string;
  readonly args: readonly string[];
  readonly style: TableStyle;
  readonly force: boolean;
  readonly timestamps: boolean;
  /** What was given as --[no-]db-change-aware; undefined if neither was. */
  readonly changeAware: boolean | undefined;
  print(json: Json): void;
  show(tables: readonly OutputTable[]): void;
  /** For a command that stays: pid file, background, control socket. */
  stay(manner: StayManner): Promise<Stay>;
}

export async function fetchSchema({ connection, database }: Pick<Call, "connection" | "database">): Promise<DatabaseSchema> {
  const schema = schemaFromJson(await connection.call("get_schema", [database]));
  return schema instanceof OvsdbError ? fatal(String(schema)) : schema;
}
