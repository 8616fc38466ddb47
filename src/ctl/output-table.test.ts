import assert from "node:assert/strict";
import { test } from "node:test";
import { type ColumnType } from "../ovsdb/index.ts";
import { defaultStyle, type OutputTable, printTable, type TableStyle } from "./output-table.ts";

const text: ColumnType = { key: { kind: "string" }, min: 1, max: 1 };
const names: ColumnType = { key: { kind: "string" }, min: 0, max: Infinity };
const uuid: ColumnType = { key: { kind: "uuid" }, min: 1, max: 1 };
const table: OutputTable = {
  headings: ["_uuid", "name", "addresses"],
  rows: [
    [{ datum: { keys: ["0f9b2c1e-0000-4000-8000-000000000001"] }, type: uuid }, { datum: { keys: ["vm1"] }, type: text }, { datum: { keys: ["a, b", "c"] }, type: names }],
    [{ datum: { keys: ["0f9b2c1e-0000-4000-8000-000000000002"] }, type: uuid }, { datum: { keys: ["vm two"] }, type: text }, { datum: { keys: [] }, type: names }],
  ],
};

function check(style: Partial<TableStyle>, expected: string): void {
  test(`table: ${JSON.stringify(style)}`, () => assert.equal(printTable(table, { ...defaultStyle, ...style }, true), expected));
}

check({}, `_uuid               : 0f9b2c1e-0000-4000-8000-000000000001
name                : vm1
addresses           : ["a, b", c]

_uuid               : 0f9b2c1e-0000-4000-8000-000000000002
name                : "vm two"
addresses           : []
`);
check({ headings: false, data: "bare" }, `0f9b2c1e-0000-4000-8000-000000000001
vm1
a, b c

0f9b2c1e-0000-4000-8000-000000000002
vm two

`);
check({ format: "table" }, `_uuid                                name     addresses
------------------------------------ -------- -----------
0f9b2c1e-0000-4000-8000-000000000001 vm1      ["a, b", c]
0f9b2c1e-0000-4000-8000-000000000002 "vm two" []
`);
check({ format: "table", maxColumnWidth: 4 }, `_uuid name addresses
----- ---- ---------
0f9b2 vm1  ["a, b",
0f9b2 "vm  []
`);
check({ format: "csv" }, `_uuid,name,addresses
0f9b2c1e-0000-4000-8000-000000000001,vm1,"[""a, b"", c]"
0f9b2c1e-0000-4000-8000-000000000002,"""vm two""",[]
`);
check({ format: "json" }, '{"data":[[["uuid","0f9b2c1e-0000-4000-8000-000000000001"],"vm1",["set",["a, b","c"]]],' +
  '[["uuid","0f9b2c1e-0000-4000-8000-000000000002"],"vm two",["set",[]]]],"headings":["_uuid","name","addresses"]}\n');
check({ format: "html", headings: false }, `<table border=1>
  <tr>
    <td><a name="0f9b2c1e-0000-4000-8000-000000000001">0f9b2c1e</a></td>
    <td>vm1</td>
    <td>[&quot;a, b&quot;, c]</td>
  </tr>
  <tr>
    <td><a name="0f9b2c1e-0000-4000-8000-000000000002">0f9b2c1e</a></td>
    <td>&quot;vm two&quot;</td>
    <td>[]</td>
  </tr>
</table>
`);
