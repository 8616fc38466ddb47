/**
 * The constants against the published schemas of OVN's and Open vSwitch's main branches, of which published.json keeps a
 * digest for each table. To compare with the files themselves, or to record a new version:
 *
 *     ISTHMUS_SCHEMAS=ovn-nb.ovsschema:ovn-sb.ovsschema:... node scripts/test.mjs src/schemas
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type DatabaseSchema, isJsonArray, isJsonObject, type Json, type JsonObject, parseJson, printJsonSorted, schemaToJson } from "../ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, openVSwitch, southbound } from "./index.ts";
import published from "./published.json" with { type: "json" };

const all: readonly DatabaseSchema[] = [northbound, southbound, icNorthbound, icSouthbound, openVSwitch];

const object = (json: Json | undefined): JsonObject => (json !== undefined && isJsonObject(json) ? json : {});

/** One way of writing each base type: RFC 7047 allows several. */
function plainBase(json: Json | undefined): Json {
  if (typeof json === "string") return { type: json };
  const { refTable, refType, enum: values, ...rest } = object(json);
  const list = isJsonArray(values) && values[0] === "set" ? values[1] : values === undefined ? undefined : [values];
  return {
    ...rest,
    ...(refTable === undefined ? {} : { refTable, refType: refType ?? "strong" }),
    ...(list === undefined ? {} : { enum: isJsonArray(list) ? [...list].sort() : list }),
  };
}

function plainColumn(json: Json | undefined): Json {
  const { type, ephemeral = false, mutable = true } = object(json);
  const { key, value, min = 1, max = 1 } = typeof type === "string" ? { key: type } : object(type);
  return { key: plainBase(key), ...(value === undefined ? {} : { value: plainBase(value) }), min, max, ephemeral, mutable };
}

function plainTable(json: Json | undefined): Json {
  const { columns, isRoot = false, maxRows = "unlimited", indexes = [] } = object(json);
  const sorted = isJsonArray(indexes) ? indexes.map((i) => printJsonSorted(i)).sort() : [];
  return { isRoot, maxRows, indexes: sorted, columns: Object.fromEntries(Object.entries(object(columns)).map(([n, c]) => [n, plainColumn(c)])) };
}

function digests(json: Json) {
  const { name, version, cksum, tables } = object(json);
  const ofTable = (table: Json | undefined) => createHash("sha256").update(printJsonSorted(plainTable(table))).digest("hex").slice(0, 16);
  return { name, version, cksum, tables: Object.fromEntries(Object.entries(object(tables)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([n, t]) => [n, ofTable(t)])) };
}

for (const schema of all) {
  test(`${schema.name} ${schema.version} is the published schema`, () => {
    const expected = published.databases.find(({ name }) => name === schema.name);
    assert.deepEqual(digests(schemaToJson(schema)), expected);
  });
}

test("the digests are those of the files", { skip: process.env["ISTHMUS_SCHEMAS"] === undefined ? "ISTHMUS_SCHEMAS names no files" : false }, () => {
  const files = (process.env["ISTHMUS_SCHEMAS"] ?? "").split(":");
  assert.deepEqual(files.map((file) => digests(parseJson(readFileSync(file, "utf8")) as Json)), published.databases);
});
