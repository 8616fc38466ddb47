/** Work on database files that no server has open: what ovsdb-tool(1) does. */
import type { Disk, Log } from "../../host/index.ts";
import { DatabaseFile, ioError, readSchema } from "./database-file.ts";
import { isJsonArray, type Json, JsonSyntaxError, parseJson, printJson } from "../json/json.ts";
import { LogReader, recordBytes } from "./log-format.ts";
import { applyRecord, snapshotRecord, transactionRecord } from "./log-record.ts";
import { execute } from "../store/operations.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import type { DatabaseSchema } from "../schema/schema.ts";
import { schemaToJson } from "../schema/schema-json.ts";
import { Store } from "../store/store.ts";

function openReader(disk: Disk, path: string): LogReader | OvsdbError {
  try {
    return new LogReader(disk.read(path), path);
  } catch (error) {
    return ioError(path, "open failed", error);
  }
}

export function readDatabaseSchema(disk: Disk, path: string): DatabaseSchema | OvsdbError {
  const reader = openReader(disk, path);
  return reader instanceof OvsdbError ? reader : readSchema(reader, path);
}

/** Whether the file begins as a standalone database does. */
export function isStandaloneFile(disk: Disk, path: string): boolean {
  return disk.exists(path) && Buffer.from(disk.read(path).subarray(0, 11)).toString("latin1") === "OVSDB JSON ";
}

export interface OfflineOptions {
  readonly wallMs: number;
  makeUuid(): string;
}

/** The results of the transaction, as they would be the reply to `transact`. */
export function transactDatabaseFile(
  disk: Disk, log: Log, path: string, params: Json, options: OfflineOptions & { readonly readOnly: boolean },
): Json | OvsdbError {
  const file = DatabaseFile.open(disk, log, path, options.makeUuid);
  if (file instanceof OvsdbError) return file;
  if (!isJsonArray(params)) return syntaxError(params, "array expected").toJson();
  const done = execute(file.store, params, { readOnly: options.readOnly, elapsedMs: 0, mayWait: false, ownsLock: () => false });
  if (done.kind === "refused") return done.error.toJson();
  if (done.kind === "waiting") return new OvsdbError("not supported", "triggers not supported").toJson();
  const results = [...done.results];
  if (done.kind === "done") {
    const { transaction } = done;
    const bad = transaction.check();
    const record = bad === undefined ? transactionRecord(transaction.changes, transaction.comments, options.wallMs) : undefined;
    const failed = bad ?? (record === undefined ? undefined : file.append(record) ?? file.sync());
    if (failed !== undefined) results.push(printJson(failed.toJson()));
    file.close();
  }
  const json = parseJson(`[${results.join(",")}]`);
  return json instanceof JsonSyntaxError ? new OvsdbError("internal error", json.message) : json;
}

/** Writes what `source` holds to `target` as a schema and one record; with `schema`, what of it that schema has. */
export function compactDatabaseFile(
  disk: Disk, log: Log, source: string, target: string,
  options: OfflineOptions & { readonly schema: DatabaseSchema | undefined; readonly comment: string },
): OvsdbError | undefined {
  const reader = openReader(disk, source);
  if (reader instanceof OvsdbError) return reader;
  const own = readSchema(reader, source);
  if (own instanceof OvsdbError) return own;
  const store = new Store(options.schema ?? own, options.makeUuid);
  for (let record = reader.next(); record !== undefined; record = reader.next()) {
    const bad = record instanceof OvsdbError ? record : applyRecord(store, record, options.schema !== undefined);
    if (record instanceof OvsdbError) {
      log.warn(String(record));
      break;
    }
    if (bad !== undefined) return bad;
  }
  try {
    const schema = recordBytes(printJson(schemaToJson(store.schema)));
    disk.replace(target, Buffer.concat([schema, recordBytes(snapshotRecord(store, options.comment, options.wallMs))]));
    return undefined;
  } catch (error) {
    return ioError(target, "write failed", error);
  }
}
