/**
 * Where a database server listens and connects to, and with which key: `set-connection` and `set-ssl` of the OVN databases,
 * `set-manager` and `set-ssl` of Open_vSwitch. The tables have the same shape in all of them.
 */
import type { Atom, Database } from "../ovsdb/index.ts";
import { argument, type Command, commands, type Context } from "./command.ts";
import { fail } from "./command-error.ts";
import type { WorkRow } from "./workspace.ts";

export interface ConnectionPlace {
  /** `connection` or `manager`: the end of the commands' names. */
  readonly noun: string;
  readonly table: string;
  /** The table with the only row that refers to the connections, and its column for it. */
  readonly owner: string;
  readonly column: string;
  /** How many arguments set-ssl takes at most. */
  readonly sslArgs: number;
  /** Whether connections may be limited to reading and to a role; words among the targets say so. */
  readonly roles?: boolean;
}

/** Only the kind is looked at: the rest may be left to defaults. */
export const isTarget = (target: string): boolean => /^p?(unix|tcp|ssl):/.test(target);

const text = (value: Atom | undefined): string => String(value ?? "");

export function connectionCommands<D extends Database>(place: ConnectionPlace): readonly Command<D>[] {
  const { noun, table, owner, column } = place;
  const roles = place.roles === true;
  const reads = [`${owner}:${column}`, `${table}:target${roles ? ",read_only,role" : ""}`];
  const ownerOf = ({ db }: Context<D>): WorkRow => db.anyRows(owner)[0] ?? fail(`no row "." in table ${owner}`);
  const clear = (context: Context<D>): void => {
    const { db } = context;
    for (const row of db.anyRows(table)) db.delete(row);
    db.write(ownerOf(context), column, { keys: [] }, "assign");
  };
  return commands("Connections", [
    {
      name: `get-${noun}`, usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print where the server listens and connects to",
      writes: false, reads,
      run(context) {
        const { db } = context;
        const lines = db.anyRows(table).map((row) => describeConnection(context, row, roles));
        context.output = [...new Set(lines)].sort().map((line) => `${line}\n`).join("");
      },
    },
    {
      name: `del-${noun}`, usage: "", minArgs: 0, maxArgs: 0, options: "", help: "stop listening and connecting there", writes: true, reads,
      run: clear,
    },
    {
      name: `set-${noun}`, usage: "TARGET...", minArgs: 1, maxArgs: Infinity, options: "--inactivity-probe=",
      help: "say where the server is to listen and connect to", writes: true, reads,
      run(context) {
        const { db } = context;
        clear(context);
        const rows = roles ? rolesAndConnections(context, table) : context.args.map((target) => newConnection(context, table, target));
        db.write(ownerOf(context), column, { keys: rows.map((r) => r._uuid).sort() }, "assign");
      },
    },
  ]);
}

function describeConnection<D extends Database>({ db }: Context<D>, row: WorkRow, roles: boolean): string {
  const value = (column: string): Atom | undefined => db.datum(row, column).keys[0];
  if (!roles) return text(value("target"));
  return `${value("read_only") === true ? "read-only" : "read-write"} role="${text(value("role"))}" ${text(value("target"))}`;
}

/** `read-only`, `read-write` and `role=ROLE` hold for the targets that follow. */
function rolesAndConnections<D extends Database>(context: Context<D>, table: string): readonly WorkRow[] {
  const { db } = context;
  let readOnly = false;
  let role = "";
  const rows: WorkRow[] = [];
  for (const word of context.args) {
    if (word === "read-only" || word === "read-write") readOnly = word === "read-only";
    else if (word.startsWith("role=")) role = word.slice(5);
    else {
      const row = newConnection(context, table, word);
      db.write(row, "read_only", { keys: [readOnly] }, "assign");
      db.write(row, "role", { keys: [role] }, "assign");
      rows.push(row);
    }
  }
  return rows;
}

function newConnection<D extends Database>({ db, options, warn }: Context<D>, table: string, target: string): WorkRow {
  if (!isTarget(target)) warn(`target type "${target}" is possibly erroneous`);
  const row = db.insertAny(table, db.newUuid(), false);
  db.write(row, "target", { keys: [target] }, "assign");
  const probe = options.get("--inactivity-probe");
  if (probe !== undefined) db.write(row, "inactivity_probe", { keys: [Number.parseInt(probe, 10) || 0] }, "assign");
  return row;
}

export function sslCommands<D extends Database>({ owner, sslArgs }: ConnectionPlace): readonly Command<D>[] {
  const reads = [`${owner}:ssl`, "SSL"];
  const remove = ({ db }: Context<D>): WorkRow | undefined => {
    const global = db.anyRows(owner)[0];
    for (const row of db.anyRows("SSL")) db.delete(row);
    if (global !== undefined) db.write(global, "ssl", { keys: [] }, "assign");
    return global;
  };
  return commands("SSL/TLS", [
    {
      name: "get-ssl", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print keys and certificates", writes: false, reads,
      run(context) {
        const { db } = context;
        const [ssl] = db.anyRows("SSL");
        if (ssl === undefined) return;
        const value = (column: string): string => text(db.datum(ssl, column).keys[0]);
        context.output =
          `Private key: ${value("private_key")}\nCertificate: ${value("certificate")}\nCA Certificate: ${value("ca_cert")}\n` +
          `Bootstrap: ${value("bootstrap_ca_cert")}\n`;
      },
    },
    {
      name: "del-ssl", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "forget keys and certificates", writes: true, reads,
      run: (context) => void remove(context),
    },
    {
      name: "set-ssl", usage: `PRIVATE-KEY CERTIFICATE CA-CERT${sslArgs > 3 ? " [SSL-PROTOS [SSL-CIPHERS [SSL-CIPHERSUITES]]]" : ""}`,
      minArgs: 3, maxArgs: sslArgs, options: "--bootstrap", help: "say with which key and certificates", writes: true, reads,
      run(context) {
        const { db } = context;
        const global = remove(context) ?? fail(`no row "." in table ${owner}`);
        const ssl = db.insertAny("SSL", db.newUuid(), false);
        const columns = ["private_key", "certificate", "ca_cert", "ssl_protocols", "ssl_ciphers", "ssl_ciphersuites"];
        context.args.forEach((_, i) => db.write(ssl, columns[i] ?? "", { keys: [argument(context, i)] }, "assign"));
        db.write(ssl, "bootstrap_ca_cert", { keys: [context.options.has("--bootstrap")] }, "assign");
        db.write(global, "ssl", { keys: [ssl._uuid] }, "assign");
      },
    },
  ]);
}
