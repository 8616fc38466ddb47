/** Nonsense in the northbound database: northd warns of it, does what it can with the rest, and lives on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../src/std/index.ts";
import type { JsonValue } from "./northd-oracle/columns.ts";
import { families } from "./northd-oracle/families.ts";
import type { Insert, Network } from "./northd-oracle/network.ts";
import { openOwnDatabases } from "./northd-oracle/own-databases.ts";

/** Columns whose text northd reads, and that the schema lets be anything. */
const freeText = new Set([
  "addresses", "port_security", "networks", "mac", "ip_prefix", "nexthop", "nexthops", "external_ip", "logical_ip", "external_mac", "cidr", "dst_ip", "servers",
  "vip", "vmac", "ip", "route_table", "chain", "jump_chain", "parent_name", "peer", "logical_port", "match", "sink", "src_ip", "address",
]);

const nonsense = (random: SeededRandom): string => random.pick([
  "", " ", "\0", "::", ":", "/", "1.2.3", "1.2.3.4/33", "1.2.3.4/-1", "fe80::/129", "[fe80::1", "00:00:00:00:00", "ff:ff:ff:ff:ff:ff 255.255.255.255 ::1/0", "dynamic dynamic", "-1",
  "99999999999999999999", "1e9", "true", "\u00e9\u{1f600}", '"; drop;', "a".repeat(5000), ",,,", ";;;", "=", "0x7f", random.uuid(),
]);

function spoil(value: JsonValue, random: SeededRandom): JsonValue {
  if (typeof value === "string") return random.chance(0.3) ? nonsense(random) : value;
  if (!Array.isArray(value)) return value;
  const [kind, content] = value as unknown as readonly [string, readonly JsonValue[]];
  if (kind === "set") {
    const items = content.map((item) => spoil(item, random));
    return ["set", items.filter((item, i) => items.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) === i)];
  }
  if (kind === "map") return ["map", content.map((pair) => (Array.isArray(pair) && typeof pair[1] === "string" ? [pair[0] ?? "", spoil(pair[1], random)] : pair))];
  return value;
}

const isTextMap = (value: JsonValue): boolean => Array.isArray(value) && value[0] === "map" && (value[1] as readonly JsonValue[]).every((pair) => Array.isArray(pair) && typeof pair[1] === "string");

const spoiled = ({ nb, sb }: Network, random: SeededRandom): Network => ({
  sb,
  nb: nb.map(({ table, uuid, row }): Insert => ({
    table, uuid,
    row: Object.fromEntries(Object.entries(row).map(([column, value]) => [column, freeText.has(column) || isTextMap(value) ? spoil(value, random) : value])),
  })),
});

for (const [name, family] of Object.entries(families)) {
  test(`nonsense in networks of family ${name}`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new SeededRandom(seed);
      const network = spoiled(family.generate(seed), random);
      const databases = await openOwnDatabases();
      try {
        databases.startNorthd();
        await databases.client.insert("OVN_Southbound", network.sb);
        await databases.client.insert("OVN_Northbound", network.nb);
        await databases.client.sync(20_000);
        const flows = await databases.client.dump("OVN_Southbound", ["Logical_Flow"]);
        assert.ok((flows["Logical_Flow"] ?? []).length > 0, `seed ${seed}`);
      } finally {
        await databases.close();
      }
    }
  });
}
