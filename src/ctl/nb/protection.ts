/** What reaches the control plane, and how fast: copp-*, ls-copp-add, lr-copp-add. */
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { getNamed, type Nb, type NbContext, type NbRow, printMap } from "./find.ts";

const reads = ["Copp", "Logical_Switch:name,copp", "Logical_Router:name,copp"];
const protocols = [
  "arp", "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "dns", "event-elb", "icmp4-error", "icmp6-error", "igmp", "nd-na", "nd-ns",
  "nd-ns-resolve", "nd-ra-opts", "tcp-reset", "bfd", "reject", "svc-monitor", "dhcpv4-relay",
];

function findPolicy({ db }: NbContext, given: string): NbRow<"Copp"> | undefined {
  return (isUuid(given) ? db.row("Copp", given.toLowerCase()) : undefined) ?? db.rows("Copp").find((row) => row.name === given);
}

const getPolicy = (context: NbContext, given: string): NbRow<"Copp"> =>
  findPolicy(context, given) ?? fail(`${given}: copp ${isUuid(given) ? "UUID" : "name"} not found`);

function checkProtocol(name: string): void {
  if (!protocols.includes(name)) fail(`Invalid control protocol. Allowed values: ${protocols.join(", ")}.`);
}

export const protectionCommands: readonly Command<Nb>[] = commands<Nb>("Control plane protection", [
  {
    name: "copp-add", usage: "NAME PROTO METER", minArgs: 3, maxArgs: 3, options: "", help: "limit a protocol with a meter", writes: true, reads,
    run(context) {
      const { db } = context;
      const [given = "", protocol = "", meter = ""] = context.args;
      checkProtocol(protocol);
      const policy = (isUuid(given) ? getPolicy(context, given) : findPolicy(context, given)) ?? db.insert("Copp", { name: given });
      db.put(policy, "meters", { [protocol]: meter });
    },
  },
  {
    name: "copp-del", usage: "NAME [PROTO]", minArgs: 1, maxArgs: 2, options: "", help: "limit a protocol, or any, no longer", writes: true, reads,
    run(context) {
      const { db } = context;
      const [given = "", protocol] = context.args;
      if (protocol !== undefined) checkProtocol(protocol);
      const policy = findPolicy(context, given);
      if (policy === undefined) return;
      if (protocol !== undefined) db.put(policy, "meters", { [protocol]: undefined });
      if (protocol === undefined || policy.meters.size === 0) db.delete(policy);
    },
  },
  {
    name: "copp-list", usage: "NAME", minArgs: 1, maxArgs: 1, options: "", help: "print which protocols are limited", writes: false, reads,
    run(context) {
      const policy = findPolicy(context, argument(context, 0));
      context.output = policy === undefined ? "" : printMap(policy.meters).replaceAll(/^([^=]*)=/gm, "$1: ");
    },
  },
  {
    name: "ls-copp-add", usage: "NAME SWITCH", minArgs: 2, maxArgs: 2, options: "", help: "use it on a switch", writes: true, reads,
    run(context) {
      const owner = getNamed(context, "Logical_Switch", argument(context, 1));
      context.db.update(owner, { copp: getPolicy(context, argument(context, 0))._uuid });
    },
  },
  {
    name: "lr-copp-add", usage: "NAME ROUTER", minArgs: 2, maxArgs: 2, options: "", help: "use it on a router", writes: true, reads,
    run(context) {
      const owner = getNamed(context, "Logical_Router", argument(context, 1));
      context.db.update(owner, { copp: getPolicy(context, argument(context, 0))._uuid });
    },
  },
]);
