/**
 * Close to a thousand command lines with what OVN's and OVS's own programs (main branch, 26.03.90) answer to them: exit code,
 * output and complaints. Ours answer the same, here on our own database server.
 *
 * One recorded line: `args` after the program's name; `save` names a variable for its output, which later lines use as
 * `$name`; `sorted`: the order of lines is chance (that of the C programs' hash tables).
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConnectionPool, isProgramName, runProgram } from "../src/ctl/index.ts";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { type Database, DatabaseFile, startOvsdbServer } from "../src/ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, openVSwitch, southbound } from "../src/schemas/index.ts";

interface Recorded {
  readonly program: string;
  readonly args: readonly string[];
  readonly save?: string;
  readonly sorted?: boolean;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const databases: { readonly [program: string]: Database } = {
  "ovn-nbctl": northbound, "ovn-sbctl": southbound, "ovn-ic-nbctl": icNorthbound, "ovn-ic-sbctl": icSouthbound, "ovs-vsctl": openVSwitch,
};
const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();
const fixtures = join(root, "test/fixtures/ctl");
const scratch = mkdtempSync(join(tmpdir(), "isthmus-ctl-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const neutral = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, "<log>|");
const inOrder = (text: string, sorted: boolean | undefined): string => (sorted === true ? text.split("\n").sort().join("\n") : text);

for (const file of readdirSync(fixtures).sort()) {
  test(`what the C programs answer: ${file.replace(".jsonl", "").replaceAll("-", " ")}`, async () => {
    const host = nodeHost(silentLog);
    const folder = mkdtempSync(join(scratch, "db-"));
    const files = Object.values(databases).map(({ name }) => join(folder, `${name}.db`));
    Object.values(databases).forEach((schema, i) => DatabaseFile.create(host.disk, files[i] ?? "", schema));
    const server = startOvsdbServer(host, { files, remotes: [`punix:${join(folder, "db.sock")}`] });
    await server.ready;
    const connections = new ConnectionPool();
    const variables = new Map<string, string>();
    const lines = readFileSync(join(fixtures, file), "utf8").split("\n").filter((line) => line !== "");
    for (const line of lines) {
      const recorded = JSON.parse(line) as Recorded;
      assert(isProgramName(recorded.program));
      const args = recorded.args.map((word) => word.replace(/\$(\w+)/g, (whole, name: string) => variables.get(name) ?? whole));
      let out = "";
      let err = "";
      const code = await runProgram(recorded.program, [`--db=unix:${join(folder, "db.sock")}`, ...args], {
        host,
        environment: { folder, variable: () => undefined },
        out: (text) => void (out += text),
        err: (text) => void (err += text),
        connections,
      });
      if (recorded.save !== undefined) variables.set(recorded.save, out.trim());
      const actual = { code, out: inOrder(neutral(out), recorded.sorted), err: neutral(err) };
      const expected = { code: recorded.code, out: recorded.out, err: recorded.err };
      assert.deepEqual(actual, expected, `${recorded.program} ${args.join(" ")}`);
    }
    connections.close();
    await server.stop();
  });
}
