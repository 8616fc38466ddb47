/** Transit switches and their ports: ts-*, tsp-*. */
import { ipsOf, isPortAddress, sharedAddress } from "../addresses.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findTable } from "../names.ts";
import { setColumn } from "../verbs-write.ts";
import { findNamed, getNamed, getUnlessIfExists, type IcNb, type IcNbContext, type IcNbRow, uuidsAndNames } from "./find.ts";

const ports = ["Transit_Switch:name,ports", "Transit_Switch_Port"];

export const transitSwitchCommands: readonly Command<IcNb>[] = commands<IcNb>("Transit switches", [
  {
    name: "ts-add", usage: "SWITCH", minArgs: 1, maxArgs: 1, options: "--may-exist", help: "create a transit switch", writes: true, reads: ["Transit_Switch:name"],
    run(context) {
      const name = argument(context, 0);
      const exists = context.db.rows("Transit_Switch").some((row) => row.name === name);
      if (exists && !context.options.has("--may-exist")) fail(`${name}: a transit switch with this name already exists`);
      if (!exists) context.db.insert("Transit_Switch", { name });
    },
  },
  {
    name: "ts-del", usage: "SWITCH", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a transit switch", writes: true, reads: ["Transit_Switch:name"],
    run(context) {
      const row = getUnlessIfExists(context, "Transit_Switch", argument(context, 0));
      if (row !== undefined) context.db.delete(row);
    },
  },
  {
    name: "ts-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print the names of all transit switches", writes: false, reads: ["Transit_Switch:name"],
    run(context) {
      context.output = uuidsAndNames(context.db.rows("Transit_Switch"));
    },
  },
  {
    name: "tsp-add", usage: "SWITCH PORT [COLUMN[:KEY]=VALUE]...", minArgs: 2, maxArgs: Infinity, options: "--may-exist", help: "add a port to a transit switch",
    writes: true, reads: ports,
    run(context) {
      const { db, symbols } = context;
      const [switchName = "", name = "", ...settings] = context.args;
      const owner = getNamed(context, "Transit_Switch", switchName);
      const existing = findNamed(context, "Transit_Switch_Port", name);
      if (existing !== undefined && !context.options.has("--may-exist")) fail(`${name}: a port with this name already exists`);
      const port = existing ?? db.insert("Transit_Switch_Port", { name });
      for (const setting of settings) setColumn(db, findTable(db.schema, "Transit_Switch_Port"), db.work(port), setting, symbols);
      db.add(owner, "ports", port._uuid);
    },
  },
  {
    name: "tsp-set-addr", usage: "PORT ADDRESS...", minArgs: 1, maxArgs: Infinity, options: "", help: "say which addresses a port has", writes: true, reads: ports,
    run: setAddresses,
  },
  {
    name: "tsp-del", usage: "PORT", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a port", writes: true, reads: ports,
    run(context) {
      const port = getUnlessIfExists(context, "Transit_Switch_Port", argument(context, 0));
      if (port === undefined) return;
      context.db.remove(ownerOf(context, port), "ports", port._uuid);
      context.db.delete(port);
    },
  },
]);

function ownerOf({ db }: IcNbContext, port: IcNbRow<"Transit_Switch_Port">): IcNbRow<"Transit_Switch"> {
  return db.rows("Transit_Switch").find((row) => row.ports.has(port._uuid)) ?? fail(`transit port ${port.name} is not part of any transit switch`);
}

function setAddresses(context: IcNbContext): void {
  const { db } = context;
  const port = getNamed(context, "Transit_Switch_Port", argument(context, 0));
  const owner = ownerOf(context, port);
  const addresses = context.args.slice(1);
  const others = db.those("Transit_Switch_Port", owner.ports).filter((row) => row._uuid !== port._uuid);
  for (const address of addresses) {
    if (!isPortAddress(address)) {
      fail(`${address}: Invalid address format. See ovn-ic-nb(5). Hint: An Ethernet address must be listed before an IP address, together as a single argument.`);
    }
    for (const other of others) {
      for (const theirs of other.addresses) {
        const shared = sharedAddress(ipsOf(address) ?? [], ipsOf(theirs) ?? []);
        if (shared !== undefined) fail(`Error on switch ${owner.name}: ${shared} found on logical switch port '${other.name}'`);
      }
    }
  }
  db.update(port, { addresses });
}
