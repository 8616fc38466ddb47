/** What ports are told by DHCP: dhcp-options-*. */
import { parsePrefix } from "../../net/index.ts";
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { keyValues, type Nb, printMap } from "./find.ts";
import { getDhcpOptions } from "./switch-port-columns.ts";

export const dhcpOptionsCommands: readonly Command<Nb>[] = commands<Nb>("DHCP options", [
  {
    name: "dhcp-options-create", usage: "CIDR [EXTERNAL_IDS]", minArgs: 1, maxArgs: Infinity, options: "", help: "create options for a subnet",
    writes: true, reads: [],
    run({ db, args: [cidr = "", ...ids] }) {
      if (parsePrefix(cidr) === undefined) fail(`Invalid cidr format '${cidr}'`);
      db.insert("DHCP_Options", { cidr, external_ids: keyValues(ids) });
    },
  },
  {
    name: "dhcp-options-del", usage: "DHCP_OPT_UUID", minArgs: 1, maxArgs: 1, options: "", help: "delete options", writes: true, reads: ["DHCP_Options:cidr"],
    run(context) {
      const given = argument(context, 0);
      const row = isUuid(given) ? context.db.row("DHCP_Options", given.toLowerCase()) : undefined;
      context.db.delete(row ?? getDhcpOptions(context, given));
    },
  },
  {
    name: "dhcp-options-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print the UUIDs of all options", writes: false, reads: ["DHCP_Options:cidr"],
    run(context) {
      const sorted = [...context.db.rows("DHCP_Options")].sort((a, b) => (a.cidr < b.cidr ? -1 : a.cidr > b.cidr ? 1 : 0));
      context.output = sorted.map((row) => `${row._uuid}\n`).join("");
    },
  },
  {
    name: "dhcp-options-set-options", usage: "DHCP_OPT_UUID KEY=VALUE [KEY=VALUE]...", minArgs: 1, maxArgs: Infinity, options: "",
    help: "replace what is told", writes: true, reads: ["DHCP_Options:options"],
    run: (context) => context.db.update(getDhcpOptions(context, argument(context, 0)), { options: keyValues(context.args.slice(1)) }),
  },
  {
    name: "dhcp-options-get-options", usage: "DHCP_OPT_UUID", minArgs: 1, maxArgs: 1, options: "", help: "print what is told",
    writes: false, reads: ["DHCP_Options:options"],
    run(context) {
      context.output = printMap(getDhcpOptions(context, argument(context, 0)).options);
    },
  },
]);
