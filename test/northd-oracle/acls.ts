/** Family "acl": access control lists of switches and port groups, their logs, meters and samples, and DNS records. */
import type { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";
import { entriesOf, itemsOf, type JsonValue, map, ref, refs } from "./columns.ts";
import { Draft, type DraftRow } from "./draft.ts";
import type { Network } from "./network.ts";

export function aclNetwork(seed: number): Network {
  const draft = Draft.onBase(seed);
  const { random } = draft;
  for (const zone of draft.of("NB_Global")) {
    draft.put(zone, "options", {
      ...draft.maybe(0.25, { default_acl_drop: "true" }), ...draft.maybe(0.25, { use_ct_inv_match: "false" }), ...draft.maybe(0.2, { acl_ct_translation: "true" }),
    });
  }
  if (random.chance(0.7)) samplingChassis(draft);
  const material = makeMaterial(draft);
  // Networks of one kind are as interesting as mixed ones.
  const isStateless = random.chance(0.2);
  const hasTiers = random.chance(0.5);
  const list = (): string => draft.insert("ACL", aclRow(draft, material, isStateless, hasTiers)).uuid;
  for (const owner of draft.of("Logical_Switch")) {
    draft.put(owner, "other_config", draft.maybe(0.15, { "enable-stateless-acl-with-lb": "true" }));
    if (random.chance(0.6)) draft.add(owner, "acls", ...Array.from({ length: random.below(4) }, () => ref(list())));
    if (random.chance(0.3)) draft.add(owner, "load_balancer", ref(draft.insert("Load_Balancer", { name: "lb", vips: map({ "30.0.0.1:80": "10.0.0.1:80" }) }).uuid));
    if (random.chance(0.3)) draft.add(owner, "dns_records", ref(draft.insert("DNS", { records: map(random.chance(0.8) ? { "Host.Example": "10.0.0.9 FD00::9", "4.3.2.1.in-addr.arpa": "Name.Example" } : {}) }).uuid));
  }
  const ports = draft.of("Logical_Switch_Port");
  for (let i = random.below(4); i > 0; i--) {
    draft.insert("Port_Group", {
      name: `access${i}`, ports: refs(ports.filter(() => random.chance(0.3)).map((p) => p.uuid)), acls: refs(Array.from({ length: random.below(4) }, list)),
    });
  }
  for (const [type, id] of [["drop", 9], ["acl-new", 10], ["acl-est", 11]] as const) if (random.chance(0.5)) draft.insert("Sampling_App", { type, id });
  return draft.network;
}

function samplingChassis(draft: Draft): void {
  const features = { "ovn-sample-with-registers": "true", "ct-label-flush": "true" };
  draft.sb.forEach((insert, i) => {
    if (insert.table === "Chassis") draft.sb[i] = { ...insert, row: { ...insert.row, other_config: map({ ...entriesOf(insert.row["other_config"]), ...features }) } };
  });
}

interface Material {
  readonly samples: readonly string[];
}

function makeMaterial(draft: Draft): Material {
  const { random } = draft;
  for (const [name, fair] of [["logs", random.chance(0.5)], ["shared", true]] as const) {
    draft.insert("Meter", { name, unit: "pktps", fair, bands: refs([draft.insert("Meter_Band", { action: "drop", rate: 7, burst_size: name.length }).uuid]) });
  }
  const collectors = [1, 2].map((id) => draft.insert("Sample_Collector", { id, name: `c${id}`, probability: 65535 - id, set_id: 100 + id }).uuid);
  const samples = Array.from({ length: 4 }, (_, i) =>
    draft.insert("Sample", { metadata: 4301 + i, collectors: refs(i === 3 ? [] : i === 2 ? collectors : [random.pick(collectors)]) }).uuid);
  return { samples };
}

const matches = ["ip4", "ip4.src == 10.0.0.0/8 && tcp.dst == 80", "inport == @access1", "ip6 && udp", "outport == \"ls0-p0\" || ip4.dst == $as0", "1", "tcp && tcp.dst == {80, 443}"];

function aclRow(draft: Draft, { samples }: Material, isStateless: boolean, hasTiers: boolean): DraftRow {
  const { random } = draft;
  const actions = isStateless ? ["allow", "drop", "reject", "pass", "allow-stateless"] : ["allow", "allow-related", "allow-related", "drop", "reject", "pass", "allow-stateless"];
  const isLogged = random.chance(0.4);
  return {
    action: random.pick(actions), direction: random.pick(["from-lport", "to-lport"]), priority: random.pick([0, 1, 1000, 1001, 32767]), match: random.pick(matches),
    ...(hasTiers ? { tier: random.below(4) } : {}), ...(random.chance(0.2) ? { label: random.pick([1, 4_294_967_295]) } : {}),
    ...(isLogged ? { log: true } : {}), ...(isLogged && random.chance(0.5) ? { name: "deny \\ all" } : {}),
    ...(isLogged && random.chance(0.5) ? { severity: random.pick(["alert", "warning", "notice", "info", "debug"]) } : {}),
    ...(random.chance(0.3) ? { meter: random.pick(["logs", "shared", "absent"]) } : {}),
    ...(random.chance(0.25) ? { sample_new: ref(random.pick(samples)) } : {}), ...(random.chance(0.25) ? { sample_est: ref(random.pick(samples)) } : {}),
    options: map({
      ...draft.maybe(0.3, { "apply-after-lb": "true" }), ...draft.maybe(0.3, { "log-related": "true" }), ...draft.maybe(0.3, { "persist-established": "true" }),
    }),
  };
}

export function aclChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [...changesOf(network, random)];
  const where = (uuid: string): JsonValue => [["_uuid", "==", ["uuid", uuid]]];
  for (const { table, uuid, row } of network.nb) {
    if (!random.chance(0.25)) continue;
    if (table === "ACL") {
      operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
        { action: "drop" }, { action: "allow-related" }, { tier: 2 }, { tier: 0 }, { priority: 5 }, { match: "ip4 && icmp4" }, { direction: "to-lport" }, { log: true, meter: "shared" },
        { label: 77 }, { sample_est: ["set", []] }, { options: ["map", [["apply-after-lb", "true"]]] }, { options: ["map", [["persist-established", "true"]]] }, { meter: ["set", []] },
      ]) });
    } else if (table === "Logical_Switch" || table === "Port_Group") {
      const lists = itemsOf(row["acls"]);
      if (lists.length > 0) operations.push({ op: "mutate", table, where: where(uuid), mutations: [["acls", "delete", random.pick(lists)]] });
    } else if (table === "Meter") operations.push({ op: "update", table, where: where(uuid), row: { fair: random.chance(0.5) } });
    else if (table === "Sample_Collector") operations.push({ op: "update", table, where: where(uuid), row: { probability: random.below(65536) } });
    else if (table === "Sampling_App") operations.push(random.chance(0.5) ? { op: "delete", table, where: where(uuid) } : { op: "update", table, where: where(uuid), row: { id: 1 + random.below(254) } });
    else if (table === "NB_Global") {
      const key = random.pick(["default_acl_drop", "use_ct_inv_match", "acl_ct_translation"]);
      operations.push({ op: "mutate", table, where: [], mutations: random.chance(0.5) ? [["options", "delete", ["set", [key]]]] : [["options", "insert", ["map", [[key, random.pick(["true", "false"])]]]]] });
    }
  }
  return operations;
}
