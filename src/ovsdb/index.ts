/** OVSDB (RFC 7047), both ends. */
export { type Atom, compareAtoms, type Datum, defaultAtom } from "./datum.ts";
export type { ColumnName, ColumnsOf, RowOf, RowRef, TableName, WishColumnsOf } from "./row.ts";
export type { CommitResult, Condition, Mutator, Replica, ReplicaStatus, ReplicaTable, ReplicaTables, Transaction } from "./replica.ts";
export type { AtomKind, BaseType, ColumnSchema, ColumnType, DatabaseSchema, TableSchema } from "./schema.ts";
export { isScalar } from "./schema.ts";
export {
  boolean, type Column, type Columns, type Database, database, ephemeral, immutable, integer, map, type MapLike, optional, real, type Scalar, set,
  string, strong, type Table, type Tables, table, type Uuid, uuid, weak,
} from "./typed-schema.ts";
export { type Entries, entries, type Wished, wished } from "./wish.ts";
export type { ReplicaOptions, TableMonitor } from "./open-replica.ts";
export type { Projector, ProjectionOptions, ProjectorOptions, Wish } from "./projection.ts";
export { datumOfValue, valueFromWriter, valueOfDatum } from "./column-value.ts";
export { checkAtom } from "./constraints.ts";
export {
  atomFromJson, atomText, atomToJson, datumFromJson, datumText, datumToJson, type NamedUuids, unconstrainedDatumFromJson,
} from "./datum-json.ts";
export { bareAtom, bareDatum, isUuid, listOf, printAtom, printDatum, printReal } from "./datum-text.ts";
export {
  isJsonArray, isJsonObject, type Json, type JsonObject, JsonSyntaxError, member, parseJson, printJson, printJsonPretty, printJsonSorted,
} from "./json.ts";
export { JsonFramer } from "./json-framing.ts";
export { isId, JsonMembers } from "./json-members.ts";
export { type JsonRpcEvents, type JsonRpcMessage, type JsonRpcOptions, JsonRpcSession, parseJsonRpc, printJsonRpc } from "./json-rpc.ts";
export { OvsdbError, syntaxError } from "./ovsdb-error.ts";
export { baseFromJson, schemaFromJson, schemaToJson, typeFromJson, typeToJson } from "./schema-json.ts";
export { openReplica } from "./open-replica.ts";
export { Reconnect, type ReconnectAction, type ReconnectLimits, reconnectDefaults } from "./reconnect.ts";
export { parseRemotes, type RpcAnswer, RpcLink, type RpcLinkEvents } from "./rpc-link.ts";
export { openProjector } from "./open-projector.ts";
export { wishRelation } from "./projection.ts";
export { convertStore } from "./convert-store.ts";
export { DatabaseFile, readStore } from "./database-file.ts";
export { compareDatums, equalDatums, isDefaultDatum } from "./datum-sets.ts";
export { type OvsdbServer, type OvsdbServerOptions } from "./ovsdb-server.ts";
export { OvsdbStartError, type RunningOvsdbServer, startOvsdbServer } from "./start-server.ts";
export { LogReader, recordBytes } from "./log-format.ts";
export { compactDatabaseFile, isStandaloneFile, readDatabaseSchema, transactDatabaseFile } from "./offline.ts";
export { type Cell, defaultStyle, type OutputTable, printTable, type TableStyle } from "./table-text.ts";
