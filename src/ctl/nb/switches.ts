/** Logical switches: ls-*. */
import { type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { getUnlessIfExists, type Nb, type NbContext, uuidsAndNames } from "./find.ts";

export const switchCommands: readonly Command<Nb>[] = commands<Nb>("Logical switches", [
  {
    name: "ls-add", usage: "[SWITCH]", minArgs: 0, maxArgs: 1, options: "--may-exist,--add-duplicate", help: "create a logical switch",
    writes: true, reads: ["Logical_Switch:name"],
    run: (context) => addNamed(context, "Logical_Switch", "switch"),
  },
  {
    name: "ls-del", usage: "SWITCH", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a logical switch and its ports",
    writes: true, reads: ["Logical_Switch:name"],
    run(context) {
      const row = getUnlessIfExists(context, "Logical_Switch", context.args[0] ?? "");
      if (row !== undefined) context.db.delete(row);
    },
  },
  {
    name: "ls-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print the names of all logical switches",
    writes: false, reads: ["Logical_Switch:name"],
    run(context) {
      context.output = uuidsAndNames(context.db.rows("Logical_Switch"));
    },
  },
]);

/** ls-add and lr-add, whose names may be missing or, if asked for, repeat. */
export function addNamed(context: NbContext, table: "Logical_Switch" | "Logical_Router", noun: string): void {
  const { db, options } = context;
  const [name] = context.args;
  const mayExist = options.has("--may-exist");
  const addDuplicate = options.has("--add-duplicate");
  if (mayExist && addDuplicate) fail("--may-exist and --add-duplicate may not be used together");
  if (name === undefined) {
    if (mayExist) fail("--may-exist requires specifying a name");
    if (addDuplicate) fail("--add-duplicate requires specifying a name");
  } else if (!addDuplicate && db.rowsHolding<typeof table>(table, "name", name).length > 0) {
    if (mayExist) return;
    fail(`${name}: a ${noun} with this name already exists`);
  }
  const columns = name === undefined ? {} : { name };
  if (table === "Logical_Switch") db.insert("Logical_Switch", columns);
  else db.insert("Logical_Router", columns);
}
