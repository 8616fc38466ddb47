/**
 * The operations of `transact` (RFC 7047, section 5.2, with "assert" and the "uuid" member of insert, as ovsdb-server(7)
 * documents them), carried out one by one on a StoreTransaction. What it returns is text, ready to be sent.
 */
import { type Condition, conditionFromJson, query } from "./condition.ts";
import { datumText, type NamedUuids } from "../value/datum-json.ts";
import { isUuid } from "../value/datum-text.ts";
import { isJsonObject, type Json, printJson } from "../json/json.ts";
import { JsonMembers } from "../json/json-members.ts";
import { mutate, mutationsFromJson } from "./mutation.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";
import { checkDefaults, rowFromJson } from "./row-from-json.ts";
import { columnSet, compareRows, distinctRows, rowText } from "./row-text.ts";
import type { Store } from "./store.ts";
import { StoreTransaction } from "./store-transaction.ts";
import type { StoredColumn, StoredTable } from "./stored-table.ts";

export interface ExecuteOptions {
  readonly readOnly: boolean;
  /** How long the transaction has been waiting, for "wait" operations. */
  readonly elapsedMs: number;
  /** Without waiting, an unsatisfied "wait" fails at once. */
  readonly mayWait: boolean;
  ownsLock(name: string): boolean;
}

export type Executed =
  /** To be checked and committed. Each result is JSON text. */
  | { readonly kind: "done"; readonly transaction: StoreTransaction; readonly results: readonly string[]; readonly durable: boolean }
  /** Undone already. */
  | { readonly kind: "failed"; readonly results: readonly string[] }
  /** The request itself is malformed. */
  | { readonly kind: "refused"; readonly error: OvsdbError }
  /** Undone; to be tried again after the next change, and at the latest when it has waited this long. */
  | { readonly kind: "waiting"; readonly timeoutMs: number };

export function execute(store: Store, params: readonly Json[], options: ExecuteOptions): Executed {
  const [name, ...operations] = params;
  if (name !== store.name) return { kind: "refused", error: syntaxError(params, "database name expected as first parameter") };
  const execution = new Execution(store, options);
  const results: string[] = [];
  for (const [i, operation] of operations.entries()) {
    const result = execution.run(operation, `ovsdb operation ${i + 1} of ${operations.length}`);
    if (typeof result === "string") {
      results.push(result);
      continue;
    }
    execution.transaction.undo();
    if (result.tag === "not supported" && options.mayWait) return { kind: "waiting", timeoutMs: execution.timeoutMs };
    results.push(printJson(result.toJson()));
    while (results.length < operations.length) results.push("null");
    return { kind: "failed", results };
  }
  return { kind: "done", transaction: execution.transaction, results, durable: execution.durable };
}

const readOnlyOperations: readonly string[] = ["select", "wait", "comment", "assert", "commit", "abort"];

class Execution {
  readonly store: Store;
  readonly options: ExecuteOptions;
  readonly transaction: StoreTransaction;
  readonly #symbols = new Map<string, { uuid: string; created: boolean }>();
  durable = false;
  timeoutMs = Number.POSITIVE_INFINITY;

  constructor(store: Store, options: ExecuteOptions) {
    this.store = store;
    this.options = options;
    this.transaction = new StoreTransaction(store);
  }

  /** A parse error comes before any other error. */
  run(operation: Json, name: string): string | OvsdbError {
    const members = new JsonMembers(operation, name);
    const op = members.id("op");
    const result = op === undefined ? "" : this.#dispatch(op, members, operation);
    const bad = members.finish();
    if (bad !== undefined) return bad;
    if (typeof result !== "string" || op === undefined || readOnlyOperations.includes(op)) return result;
    if (this.options.readOnly) {
      return new OvsdbError("not allowed", `${op} operation not allowed when database server is in read only mode`);
    }
    if (this.store.name.startsWith("_")) {
      return new OvsdbError("not allowed", `${op} operation not allowed on table in reserved database ${this.store.name}`);
    }
    return result;
  }

  #dispatch(op: string, members: JsonMembers, operation: Json): string | OvsdbError {
    switch (op) {
      case "insert":
        return this.#insert(members);
      case "select":
        return this.#select(members);
      case "update":
        return this.#update(members, operation);
      case "mutate":
        return this.#mutate(members);
      case "delete":
        return this.#delete(members);
      case "wait":
        return this.#wait(members);
      case "commit":
        if (members.boolean("durable") === true) this.durable = true;
        return "{}";
      case "abort":
        return new OvsdbError("aborted", "aborted by request");
      case "comment":
        this.transaction.comments.push(members.string("comment") ?? "");
        return "{}";
      case "assert": {
        const lock = members.id("lock");
        if (lock === undefined || this.options.ownsLock(lock)) return "{}";
        return new OvsdbError("not owner", `Asserted lock ${lock} not held.`);
      }
      default:
        members.raise(`No operation "${op}"`);
        return "";
    }
  }

  #table(members: JsonMembers): StoredTable | undefined {
    const name = members.id("table");
    if (name === undefined) return undefined;
    const table = this.store.tables.get(name);
    if (table === undefined) members.raise(`No table named ${name}.`);
    return table;
  }

  readonly #named: NamedUuids = (name) => this.#symbol(name).uuid;

  #symbol(name: string): { uuid: string; created: boolean } {
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    const symbol = { uuid: this.store.makeUuid(), created: false };
    this.#symbols.set(name, symbol);
    return symbol;
  }

  #insert(members: JsonMembers): string | OvsdbError {
    const table = this.#table(members);
    const uuidText = members.string("uuid", true);
    const uuidName = members.id("uuid-name", true);
    const rowJson = members.object("row");
    if (members.error !== undefined || table === undefined || rowJson === undefined) return "";
    const uuid = this.#newUuid(table, uuidText, uuidName);
    if (uuid instanceof OvsdbError) return uuid;
    const row = rowFromJson(table, rowJson, this.#named);
    if (row instanceof OvsdbError) return row;
    const bad = checkDefaults(table, row.fields);
    if (bad !== undefined) return bad;
    this.transaction.insert(table, uuid, row.fields);
    return `{"uuid":["uuid","${uuid}"]}`;
  }

  #newUuid(table: StoredTable, text: string | undefined, name: string | undefined): string | OvsdbError {
    if (text !== undefined) {
      if (!isUuid(text)) return syntaxError(text, "bad uuid");
      if (this.transaction.rowEver(table, text.toLowerCase()) !== undefined) {
        const details =
          `This UUID would duplicate a UUID already present within the "${table.name}" table ` +
          "or deleted from this table within the same transaction.";
        return syntaxError(text, details, "duplicate uuid");
      }
    }
    if (name === undefined) return text?.toLowerCase() ?? this.store.makeUuid();
    const symbol = this.#symbol(name);
    if (symbol.created) {
      return syntaxError(name, 'This "uuid-name" appeared on an earlier "insert" operation.', "duplicate uuid-name");
    }
    symbol.created = true;
    if (text !== undefined) symbol.uuid = text.toLowerCase();
    return symbol.uuid;
  }

  #where(table: StoredTable, json: readonly Json[]): Condition | OvsdbError {
    return conditionFromJson(table, json, this.#named);
  }

  #select(members: JsonMembers): string | OvsdbError {
    const table = this.#table(members);
    const where = members.array("where");
    const columnsJson = members.array("columns", true);
    const sortJson = members.array("sort", true);
    if (members.error !== undefined || table === undefined || where === undefined) return "";
    const condition = this.#where(table, where);
    if (condition instanceof OvsdbError) return condition;
    const columns = columnSet(table, columnsJson);
    if (columns instanceof OvsdbError) return columns;
    const sort = columnSet(table, sortJson);
    if (sort instanceof OvsdbError) return sort;
    const rows = query(table, condition);
    const texts = [...distinctRows(rows, columns)];
    texts.sort(([, a], [, b]) => compareRows(a, b, sort));
    return `{"rows":[${texts.map(([text]) => text).join(",")}]}`;
  }

  #update(members: JsonMembers, operation: Json): string | OvsdbError {
    const table = this.#table(members);
    const where = members.array("where");
    const rowJson = members.object("row");
    if (members.error !== undefined || table === undefined || where === undefined || rowJson === undefined) return "";
    const row = rowFromJson(table, rowJson, this.#named);
    if (row instanceof OvsdbError) return row;
    const fixed = row.columns.find((column) => !column.mutable);
    if (fixed !== undefined) {
      return syntaxError(operation, `Cannot update immutable column ${fixed.name} in table ${table.name}.`, "constraint violation");
    }
    const condition = this.#where(table, where);
    if (condition instanceof OvsdbError) return condition;
    const rows = query(table, condition);
    for (const target of rows) {
      const fields = [...target.fields];
      for (const { index } of row.columns) fields[index] = row.fields[index] ?? { keys: [] };
      this.transaction.update(target, fields);
    }
    return `{"count":${rows.length}}`;
  }

  #mutate(members: JsonMembers): string | OvsdbError {
    const table = this.#table(members);
    const where = members.array("where");
    const mutationsJson = members.array("mutations");
    if (members.error !== undefined || table === undefined || where === undefined || mutationsJson === undefined) return "";
    const mutations = mutationsFromJson(table, mutationsJson, this.#named);
    if (mutations instanceof OvsdbError) return mutations;
    const condition = this.#where(table, where);
    if (condition instanceof OvsdbError) return condition;
    const rows = query(table, condition);
    for (const target of mutations.length === 0 ? [] : rows) {
      const fields = mutate(target.fields, mutations);
      if (fields instanceof OvsdbError) return fields;
      this.transaction.update(target, fields);
    }
    return `{"count":${rows.length}}`;
  }

  #delete(members: JsonMembers): string | OvsdbError {
    const where = members.array("where");
    const table = this.#table(members);
    if (members.error !== undefined || table === undefined || where === undefined) return "";
    const condition = this.#where(table, where);
    if (condition instanceof OvsdbError) return condition;
    const rows = query(table, condition);
    for (const row of rows) this.transaction.delete(row);
    return `{"count":${rows.length}}`;
  }

  #wait(members: JsonMembers): string | OvsdbError {
    const timeout = members.integer("timeout", true);
    const where = members.array("where");
    const columnsJson = members.array("columns", true);
    const until = members.string("until");
    const rowsJson = members.array("rows");
    const table = this.#table(members);
    if (members.error !== undefined || table === undefined || where === undefined || rowsJson === undefined) return "";
    const condition = this.#where(table, where);
    if (condition instanceof OvsdbError) return condition;
    const columns = columnSet(table, columnsJson);
    if (columns instanceof OvsdbError) return columns;
    if (timeout !== undefined && timeout < 0) return syntaxError(timeout, "timeout must be nonnegative");
    if (timeout !== undefined) this.timeoutMs = Math.min(this.timeoutMs, Number(timeout));
    if (until !== "==" && until !== "!=") return syntaxError(until, '"until" must be "==" or "!="');
    const expected = this.#expectedRows(table, rowsJson, columns);
    if (expected instanceof OvsdbError) return expected;
    const actual = new Set(query(table, condition).map((row) => rowText(row, columns)));
    const equal = actual.size === expected.size && [...actual].every((text) => expected.has(text));
    if (equal === (until === "==")) return "{}";
    const { elapsedMs } = this.options;
    if (timeout === undefined || elapsedMs < timeout) return new OvsdbError("not supported", "triggers not supported");
    return new OvsdbError("timed out", elapsedMs > 0 ? `"wait" timed out after ${elapsedMs} ms` : '"where" clause test failed');
  }

  /** The texts that `rowText` gives for rows like these. */
  #expectedRows(table: StoredTable, rows: readonly Json[], columns: readonly StoredColumn[]): Set<string> | OvsdbError {
    const texts = new Set<string>();
    for (const json of rows) {
      const row = rowFromJson(table, json, this.#named);
      if (row instanceof OvsdbError) return row;
      const uuid = row.columns.some((c) => c.index < 0) ? identityOf(json) : undefined;
      texts.add(columns.map((column) => (column.index >= 0 ? datumText(column.in(row.fields), column.type) : uuid?.(column.name) ?? "")).join(","));
    }
    return texts;
  }
}

/** What a row of a "wait" says of the columns that are no fields. */
const identityOf = (json: Json) => (column: string): string => {
  const value = isJsonObject(json) ? json[column] : undefined;
  return value === undefined ? "" : printJson(value);
};
