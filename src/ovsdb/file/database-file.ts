/**
 * A standalone database on disk: an append-only log of which the first record is the schema (see log-format.ts).
 *
 * Opening replays the log. Where it ends in something that is no whole record, as after a crash, what is whole counts and
 * the rest is cut off before the next record is written, as the C server does.
 */
import type { AppendFile, Disk, Log } from "../../host/index.ts";
import { LogReader, recordBytes } from "./log-format.ts";
import { applyRecord, snapshotRecord } from "./log-record.ts";
import { printJson } from "../json/json.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import type { DatabaseSchema } from "../schema/schema.ts";
import { schemaFromJson, schemaToJson } from "../schema/schema-json.ts";
import { Store } from "../store/store.ts";

/** Below this size a file is never compacted of itself. */
const smallSize = 10 * 1024 * 1024;

/** A file that cannot be read or written, as an OvsdbError. */
export function ioError(path: string, what: string, error: unknown): OvsdbError {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  return new OvsdbError("I/O error", `${path}: ${what}`, undefined, systemText(code) ?? String(error));
}

function systemText(code: string | undefined): string | undefined {
  const texts: { readonly [code: string]: string } = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EEXIST: "File exists",
    EISDIR: "Is a directory",
    ENOSPC: "No space left on device",
    EROFS: "Read-only file system",
  };
  return code === undefined ? undefined : texts[code] ?? code;
}

/** Reads a file's schema; `reader` stands behind it. */
export function readSchema(reader: LogReader, path: string): DatabaseSchema | OvsdbError {
  const first = reader.next();
  if (first === undefined) {
    return new OvsdbError("I/O error", `${path}: unexpected end of file reading schema`);
  }
  if (first instanceof OvsdbError) return first;
  const schema = schemaFromJson(first);
  return schema instanceof OvsdbError ? schema.within(`failed to parse "${path}" as ovsdb schema`) : schema;
}

/**
 * What a file's whole records make; `reader` then stands where they end. `sizes.base` becomes the size up to the first
 * transaction, which in a compacted file holds everything.
 */
export function readStore(
  reader: LogReader, path: string, log: Log, makeUuid: () => string, sizes: { base: number } = { base: 0 },
): Store | OvsdbError {
  const schema = readSchema(reader, path);
  if (schema instanceof OvsdbError) return schema;
  const store = new Store(schema, makeUuid);
  sizes.base = reader.offset;
  let good = reader.offset;
  for (let first = true; ; first = false) {
    const record = reader.next();
    if (record === undefined) return store;
    const bad = record instanceof OvsdbError ? record : applyRecord(store, record);
    if (bad !== undefined) {
      // Most likely the machine stopped while this was being written: nobody was told that it had been.
      log.err(String(bad));
      reader.offset = good;
      return store;
    }
    good = reader.offset;
    if (first) sizes.base = good;
  }
}

export class DatabaseFile {
  readonly path: string;
  /** What the file held when it was opened; the server goes on with it. */
  readonly store: Store;
  /** As it stands in the file. */
  readonly schemaText: string;
  readonly #disk: Disk;
  readonly #log: Log;
  #file: AppendFile | undefined;
  #goodSize: number;
  #needsTruncation: boolean;
  /** Of the file when it was last a snapshot. */
  #baseSize: number;

  private constructor(disk: Disk, log: Log, path: string, store: Store, reader: LogReader, fileSize: number, baseSize: number) {
    this.#disk = disk;
    this.#log = log;
    this.path = path;
    this.store = store;
    this.schemaText = reader.firstText ?? printJson(schemaToJson(store.schema));
    this.#goodSize = reader.offset;
    this.#needsTruncation = reader.offset < fileSize;
    this.#baseSize = baseSize;
  }

  /** Creates the file, and nothing if it is there already. */
  static create(disk: Disk, path: string, schema: DatabaseSchema): OvsdbError | undefined {
    if (disk.exists(path)) return new OvsdbError("I/O error", `${path}: create failed`, undefined, "File exists");
    try {
      disk.replace(path, recordBytes(printJson(schemaToJson(schema))));
      return undefined;
    } catch (error) {
      return ioError(path, "create failed", error);
    }
  }

  static open(disk: Disk, log: Log, path: string, makeUuid: () => string): DatabaseFile | OvsdbError {
    let bytes: Uint8Array;
    try {
      bytes = disk.read(path);
    } catch (error) {
      return ioError(path, "open failed", error);
    }
    const reader = new LogReader(bytes, path);
    const sizes = { base: 0 };
    const store = readStore(reader, path, log, makeUuid, sizes);
    if (store instanceof OvsdbError) return store;
    return new DatabaseFile(disk, log, path, store, reader, bytes.length, sizes.base);
  }

  /** Hands a record to the system: it survives the end of this process, but not yet that of the machine. */
  append(record: string): OvsdbError | undefined {
    const bytes = recordBytes(record);
    try {
      this.#opened().append(bytes);
      this.#goodSize += bytes.length;
      return undefined;
    } catch (error) {
      // What stands in the file beyond what was there before is unknown.
      this.#needsTruncation = true;
      return ioError(this.path, "write failed", error);
    }
  }

  /** Returns when all that was appended is on stable storage. */
  sync(): OvsdbError | undefined {
    try {
      this.#file?.sync();
      return undefined;
    } catch (error) {
      return ioError(this.path, "fsync failed", error);
    }
  }

  #opened(): AppendFile {
    this.#file ??= this.#disk.openAppend(this.path);
    if (this.#needsTruncation) {
      this.#log.warn(`${this.path}: truncating to ${this.#goodSize} bytes, where the last whole record ends`);
      this.#file.truncate(this.#goodSize);
      this.#needsTruncation = false;
    }
    return this.#file;
  }

  /** Whether it has grown so much since it was a snapshot that compacting pays. */
  get hasGrownLots(): boolean {
    return this.#goodSize > smallSize && this.#goodSize > 2 * this.#baseSize;
  }

  /** Replaces the file, in one step, by one that holds the schema of `store` and one record with all its rows. */
  compact(store: Store, comment: string | undefined, wallMs: number): OvsdbError | undefined {
    const schema = recordBytes(printJson(schemaToJson(store.schema)));
    const content = Buffer.concat([schema, recordBytes(snapshotRecord(store, comment, wallMs))]);
    try {
      this.#disk.replace(this.path, content);
      this.#file?.close();
      this.#file = undefined;
      this.#goodSize = content.length;
      this.#baseSize = content.length;
      this.#needsTruncation = false;
      return undefined;
    } catch (error) {
      return ioError(this.path, "compaction failed", error);
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
