/** OVSDB (RFC 7047), both ends. */
export { type Atom, compareAtoms, type Datum, defaultAtom } from "./value/datum.ts";
export type { ColumnName, ColumnsOf, RowOf, RowRef, TableName, WishColumnsOf } from "./schema/row.ts";
export type { CommitResult, Condition, Mutator, Replica, ReplicaStatus, ReplicaTable, ReplicaTables, Transaction } from "./replica/replica.ts";
export type { AtomKind, BaseType, ColumnSchema, ColumnType, DatabaseSchema, TableSchema } from "./schema/schema.ts";
export { isScalar } from "./schema/schema.ts";
export {
  boolean, type Column, type Columns, counter, type Database, database, ephemeral, immutable, integer, map, type MapLike, optional, real, type Scalar, set,
  string, strong, type Table, type Tables, table, type Uuid, uuid, weak,
} from "./schema/typed-schema.ts";
export { type Entries, entries, type Wished, wished } from "./replica/wish.ts";
export type { ReplicaOptions, TableMonitor } from "./replica/open-replica.ts";
export type { Projector, ProjectionOptions, ProjectorOptions, Wish } from "./replica/projection.ts";
export { datumOfValue, valueFromWriter, valueOfDatum } from "./value/column-value.ts";
export { type Counter, counterLead, minCounter } from "./value/counter.ts";
export { checkAtom } from "./value/constraints.ts";
export {
  atomFromJson, atomText, atomToJson, datumFromJson, datumText, datumToJson, type NamedUuids, unconstrainedDatumFromJson,
} from "./value/datum-json.ts";
export { bareAtom, bareDatum, isUuid, listOf, printAtom, printDatum, printReal } from "./value/datum-text.ts";
export {
  isJsonArray, isJsonObject, type Json, type JsonObject, JsonSyntaxError, member, parseJson, printJson, printJsonPretty, printJsonSorted,
} from "./json/json.ts";
export { JsonFramer } from "./json/json-framing.ts";
export { isId, JsonMembers } from "./json/json-members.ts";
export { type JsonRpcEvents, type JsonRpcMessage, type JsonRpcOptions, JsonRpcSession, parseJsonRpc, printJsonRpc } from "./json/json-rpc.ts";
export { OvsdbError, syntaxError } from "./ovsdb-error.ts";
export { baseFromJson, schemaFromJson, schemaToJson, typeFromJson, typeToJson } from "./schema/schema-json.ts";
export { openReplica } from "./replica/open-replica.ts";
export { Reconnect, type ReconnectAction, type ReconnectLimits, reconnectDefaults } from "./replica/reconnect.ts";
export { parseRemotes, type RpcAnswer, RpcLink, type RpcLinkEvents } from "./replica/rpc-link.ts";
export { openProjector } from "./replica/open-projector.ts";
export { wishRelation } from "./replica/projection.ts";
export { convertStore } from "./store/convert-store.ts";
export { DatabaseFile, readStore } from "./file/database-file.ts";
export { compareDatums, equalDatums, isDefaultDatum } from "./value/datum-sets.ts";
export { type OvsdbServer, type OvsdbServerOptions } from "./server/ovsdb-server.ts";
export { OvsdbStartError, type RunningOvsdbServer, startOvsdbServer } from "./server/start-server.ts";
export { LogReader, recordBytes } from "./file/log-format.ts";
export { compactDatabaseFile, isStandaloneFile, readDatabaseSchema, transactDatabaseFile } from "./file/offline.ts";
export { type Cell, defaultStyle, type OutputTable, printTable, type TableStyle } from "./table-text.ts";
