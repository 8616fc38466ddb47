/** Garbage on every socket that a lab listens on: it is refused or dropped, and the lab works on. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SeededRandom } from "../src/std/index.ts";
import { RunningLab } from "./lab-fixture.ts";

const garbage = (random: SeededRandom): Uint8Array[] => [
  random.bytes(1000), new Uint8Array(70_000), Buffer.from("GET / HTTP/1.0\r\n\r\n"), Buffer.from('{"method":"transact","params":['),
  Buffer.from('{"id":1,"method":"transact","params":["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":7}}]}'),
  Buffer.from('{"id":1,"method":"no such","params":[]}'.repeat(50)), Buffer.from(`${"[".repeat(5000)}`), Uint8Array.from([6, 0, 0, 8, 0, 0, 0, 1, 6, 14, 0, 8, 0, 0, 0, 2]),
];

/** Connects, says `bytes`, and leaves; resolves when the other side has had them. */
function say(place: { path: string } | { host: string; port: number }, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(place, () => socket.end(bytes));
    socket.on("data", () => {});
    // Being thrown out is what the other side owes us.
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.setTimeout(2000, () => socket.destroy());
  });
}

describe("garbage", () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab("east-west.lab.yml");
  });
  after(() => lab?.down());

  const works = (): void => {
    const ping = lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "192.168.2.12");
    assert.equal(ping.code, 0, ping.stdout + ping.stderr);
  };
  const carriers = (): Map<string, string> => new Map(JSON.parse(readFileSync(join(lab.folder, "lab.json"), "utf8")).carriers);

  test("on every unix socket", async () => {
    const random = new SeededRandom(1);
    const sockets = readdirSync(lab.folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(sock|ctl|mgmt|snoop)$/.test(name));
    assert.ok(sockets.length >= 30, sockets.join(" "));
    for (const name of sockets) await Promise.all(garbage(random).map((bytes) => say({ path: join(lab.folder, name) }, bytes)));
    works();
  });

  test("on the databases' ports", async () => {
    const random = new SeededRandom(2);
    for (const [address, ports] of [["192.168.50.10", [6641, 6642]], ["192.168.50.20", [6645, 6646]]] as const) {
      for (const port of ports) await Promise.all(garbage(random).map((bytes) => say({ host: carriers().get(address) ?? "", port }, bytes)));
    }
    works();
  });

  test("as Geneve, from strangers and in a neighbour's name", async () => {
    const random = new SeededRandom(3);
    const map = carriers();
    const target = map.get("192.168.50.102") ?? "";
    // A known tunnel's end as sender, with every kind of header: cut short, other versions, unknown options, no frame inside.
    for (const from of ["127.0.0.1", map.get("192.168.50.103") ?? ""]) {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => socket.bind(0, from, resolve));
      for (let i = 0; i < 500; i++) {
        const bytes = random.bytes(random.below(120));
        if (i % 2 === 0) bytes.set([0x02, 0x40, 0x65, 0x58, 0, 0, random.below(4), 0, 0x01, 0x02, 0x80, 0x01].slice(0, bytes.length));
        await new Promise((resolve) => socket.send(bytes, 6081, target, resolve));
      }
      socket.close();
    }
    works();
  });

  test("as commands", () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ["ovn-nbctl set Logical_Switch net_east nosuch=1", /ovn-nbctl: Logical_Switch does not contain a column whose name matches "nosuch"/],
      ["ovn-nbctl set Logical_Switch_Port vm1 tag=seven", /ovn-nbctl: .*seven/],
      ["ovn-nbctl ls-add net_east", /ovn-nbctl: net_east: a switch with this name already exists/],
      ["ovn-nbctl lsp-add net_east vm1", /ovn-nbctl: vm1: a port with this name already exists/],
      ["ovn-nbctl create Nothing a=b", /ovn-nbctl: unknown table "Nothing"/],
      ["ovn-nbctl lrp-add router_east bad zz:zz 1.2.3.4/24", /ovn-nbctl: bad: invalid mac address zz:zz/],
      ["ovn-nbctl lr-route-add router_east 1.2.3.4/99 5.6.7.8", /ovn-nbctl: bad prefix argument: 1\.2\.3\.4\/99/],
    ];
    for (const [command, expected] of cases) {
      const { code, stdout, stderr } = lab.shell("central_east", command);
      assert.equal(code, 1, command + stdout);
      assert.match(stderr, expected);
    }
    works();
  });

  test("nothing crashed, and the logs say what was refused", () => {
    const logs = readdirSync(lab.folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".log")).map((name) => readFileSync(join(lab.folder, name), "utf8")).join("");
    assert.match(logs, /jsonrpc\|WARN\|.*(error parsing stream|bad JSON-RPC)/);
    assert.doesNotMatch(logs, /\|EMER\|/);
  });
});
