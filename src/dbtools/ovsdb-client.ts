/** ovsdb-client(1): what a database server can be asked from a shell. */
import {
  applyVlogOptions, directories, type Directories, type GivenOption, informationOptions, isGiven, lastValue, parseOptions, sslOptions, versionText,
  Vlog, vlogOptions, type OptionSpec, daemonOptions, unixctlOption,
} from "../daemon/index.ts";
import { type Host, type Log, parseActiveTarget, type Process, silentLog } from "../host/index.ts";
import {
  defaultStyle, isJsonArray, isJsonObject, type Json, member, printJsonPretty, printJsonSorted, printTable, schemaToJson, type TableStyle, typeToJson,
} from "../ovsdb/index.ts";
import { ClientConnection } from "./client-connection.ts";
import { type Call, fetchSchema } from "./client-call.ts";
import { lock } from "./client-lock.ts";
import { runMonitor } from "./client-monitor.ts";
import { backup, dumpTables } from "./dump.ts";
import { Stay, type StayPlace } from "./client-stay.ts";
import { Fatal, fatal } from "./fatal.ts";
import { parseTransaction, readSchemaFile } from "./ovsdb-tool.ts";
import { restoreTransaction } from "./restore.ts";

interface ClientCommand {
  readonly usage: string;
  readonly needsDatabase: boolean;
  readonly minArgs: number;
  readonly maxArgs: number;
  run(call: Call): Promise<void>;
}

async function transact({ connection, changeAware, stay }: Call, transaction: Json): Promise<Json> {
  if (!isJsonArray(transaction) || typeof transaction[0] !== "string") return fatal("not a valid OVSDB query");
  if (changeAware === true) await connection.call("set_db_change_aware", [true]);
  // Nobody who puts a question into the background waits for its answer: it may be a long wait.
  const place = await stay({});
  place.ready();
  try {
    return await connection.call("transact", transaction);
  } finally {
    place.leave();
  }
}

/** An "abort" at the end keeps a query from changing anything. */
async function query(call: Call): Promise<void> {
  const transaction = parseTransaction(call.args[0] ?? "");
  if (!isJsonArray(transaction)) return fatal("not a valid OVSDB query");
  const results = await transact(call, [...transaction, { op: "abort" }]);
  const last = isJsonArray(results) ? results.at(-1) : undefined;
  const aborted = isJsonObject(last) && member(last, "error") === "aborted" && isJsonArray(results) && results.length === transaction.length;
  call.print(aborted && isJsonArray(results) ? results.slice(0, -1) : results);
}

/** Operations may fail each for itself, inside a reply that is no error. */
function checkResults(results: Json): void {
  for (const result of isJsonArray(results) ? results : []) {
    if (isJsonObject(result) && member(result, "error") !== undefined) fatal(`transaction returned error: ${printJsonSorted(results)}`);
  }
}

async function wait({ connection, args }: Call): Promise<void> {
  const [database = "", state = ""] = args;
  if (!["added", "connected", "removed"].includes(state)) return fatal(`${state}: unknown state`);
  await connection.call("set_db_change_aware", [true]);
  const where = [["name", "==", database], ...(state === "connected" ? [["connected", "==", true]] : [])];
  const rows = [{ name: database }];
  const until = state === "removed" ? "!=" : "==";
  checkResults(await connection.call("transact", ["_Server", { op: "wait", table: "Database", columns: ["name"], where, until, rows }]));
}

const command = (usage: string, needsDatabase: boolean, counts: readonly [number, number], run: (call: Call) => Promise<void>): ClientCommand => ({
  usage, needsDatabase, minArgs: counts[0], maxArgs: counts[1], run,
});

const commands: { readonly [name: string]: ClientCommand } = {
  "list-dbs": command("[SERVER]", false, [0, 0], async ({ connection, process }) => {
    for (const name of [...(await connection.listDatabases())].sort()) process.out(`${name}\n`);
  }),
  "get-schema": command("[SERVER] [DATABASE]", true, [0, 0], async (call) => call.print(schemaToJson(await fetchSchema(call)))),
  "get-schema-version": command("[SERVER] [DATABASE]", true, [0, 0], async (call) => call.process.out(`${(await fetchSchema(call)).version}\n`)),
  "get-schema-cksum": command("[SERVER] [DATABASE]", true, [0, 0], async (call) => call.process.out(`${(await fetchSchema(call)).cksum ?? ""}\n`)),
  "list-tables": command("[SERVER] [DATABASE]", true, [0, 0], async (call) => {
    const names = Object.keys((await fetchSchema(call)).tables);
    call.show([{ headings: ["Table"], rows: names.map((text) => [{ text }]) }]);
  }),
  "list-columns": command("[SERVER] [DATABASE] [TABLE]", true, [0, 1], async (call) => {
    const [only] = call.args;
    const rows = Object.entries((await fetchSchema(call)).tables).flatMap(([table, { columns }]) =>
      only !== undefined && only !== table
        ? []
        : [["_uuid", "uuid"], ["_version", "uuid"], ...Object.entries(columns).map(([name, { type }]) => [name, typeToJson(type)] as const)].map(
            ([name, json = ""]) => [...(only === undefined ? [{ text: table }] : []), { text: String(name) }, { json }],
          ),
    );
    call.show([{ headings: [...(only === undefined ? ["Table"] : []), "Column", "Type"], rows }]);
  }),
  transact: command("[SERVER] TRANSACTION", false, [1, 1], async (call) => call.print(await transact(call, parseTransaction(call.args[0] ?? "")))),
  query: command("[SERVER] TRANSACTION", false, [1, 1], query),
  monitor: command("[SERVER] [DATABASE] TABLE [COLUMN,...]...", true, [1, Infinity], (call) => runMonitor(call, "monitor")),
  "monitor-cond": command("[SERVER] [DATABASE] CONDITION TABLE [COLUMN,...]...", true, [2, Infinity], (call) => runMonitor(call, "monitor_cond")),
  "monitor-cond-since": command("[SERVER] [DATABASE] [LASTID] CONDITION TABLE [COLUMN,...]...", true, [2, Infinity], (call) =>
    runMonitor(call, "monitor_cond_since")),
  wait: command("[SERVER] DATABASE STATE", false, [2, 2], wait),
  dump: command("[SERVER] [DATABASE] [TABLE [COLUMN]...]", true, [0, Infinity], async (call) => {
    const [table, ...columns] = call.args;
    call.show(await dumpTables(call.connection, await fetchSchema(call), table, columns));
  }),
  backup: command("[SERVER] [DATABASE] > SNAPSHOT", true, [0, 0], async (call) => {
    call.process.out(Buffer.from(await backup(call.connection, await fetchSchema(call), call.host.clock.wall())).toString("utf8"));
  }),
  restore: command("[SERVER] [DATABASE] < SNAPSHOT", true, [0, 0], async (call) => {
    const options = { log: call.host.log, force: call.force, makeUuid: () => call.host.random.uuid() };
    const transaction = restoreTransaction(call.process.input(), await fetchSchema(call), options);
    checkResults(await call.connection.call("transact", transaction));
  }),
  convert: command("[SERVER] SCHEMA", false, [1, 1], async (call) => {
    const schema = readSchemaFile(call.host, call.args[0] ?? "");
    if (call.changeAware !== false) await call.connection.call("set_db_change_aware", [true]);
    await call.connection.call("convert", [schema.name, schemaToJson(schema)]);
  }),
  "needs-conversion": command("[SERVER] SCHEMA", false, [1, 1], async (call) => {
    const wanted = readSchemaFile(call.host, call.args[0] ?? "");
    const served = await fetchSchema({ connection: call.connection, database: wanted.name });
    call.process.out(printJsonSorted(schemaToJson(wanted)) === printJsonSorted(schemaToJson(served)) ? "no\n" : "yes\n");
  }),
  lock: command("[SERVER] LOCK", false, [1, 1], (call) => lock(call, "lock")),
  steal: command("[SERVER] LOCK", false, [1, 1], (call) => lock(call, "steal")),
  unlock: command("[SERVER] LOCK", false, [1, 1], (call) => lock(call, "unlock")),
};

const specs: readonly OptionSpec[] = [
  ...vlogOptions, ...sslOptions, ...informationOptions, ...daemonOptions, unixctlOption,
  { name: "format", short: "f", argument: "required" },
  { name: "data", short: "d", argument: "required" },
  { name: "bare", argument: "none" },
  { name: "no-headings", argument: "none" },
  { name: "pretty", argument: "none" },
  { name: "max-column-width", argument: "required" },
  { name: "timestamp", argument: "none" },
  { name: "force", argument: "none" },
  { name: "timeout", short: "t", argument: "required" },
  { name: "db-change-aware", argument: "none" },
  { name: "no-db-change-aware", argument: "none" },
  { name: "leader-only", argument: "none" },
  { name: "no-leader-only", argument: "none" },
];

function styleFrom(options: readonly GivenOption[]): TableStyle {
  let style: TableStyle = { ...defaultStyle, format: "table" };
  for (const { name, value = "" } of options) {
    if (name === "format") style = { ...style, format: oneOf(["table", "list", "html", "csv", "json"], value, "output format") };
    else if (name === "data") style = { ...style, data: oneOf(["string", "bare", "json"], value, "data format") };
    else if (name === "no-headings") style = { ...style, headings: false };
    else if (name === "bare") style = { ...style, format: "list", data: "bare", headings: false };
    else if (name === "pretty") style = { ...style, pretty: true };
    else if (name === "max-column-width") style = { ...style, maxColumnWidth: Number(value) || 0 };
  }
  return style;
}

const oneOf = <T extends string>(allowed: readonly T[], value: string, what: string): T =>
  allowed.find((a) => a === value) ?? fatal(`unknown ${what} "${value}"`);

export async function runOvsdbClient(process: Process, makeHost: (log: Log) => Host): Promise<number> {
  try {
    const parsed = parseOptions(process.args, specs, true);
    if (parsed.kind === "error") return fatal(parsed.text);
    const { options, rest } = parsed;
    if (isGiven(options, "help")) process.out(help());
    else if (isGiven(options, "version")) process.out(versionText("ovsdb-client", "ovs"));
    else await runCommand(process, makeHost, options, rest);
    return 0;
  } catch (error) {
    if (!(error instanceof Fatal)) throw error;
    process.err(`ovsdb-client: ${error.message}\n`);
    return error.code;
  }
}

async function runCommand(process: Process, makeHost: (log: Log) => Host, options: readonly GivenOption[], rest: readonly string[]): Promise<void> {
  const [name, ...given] = rest;
  if (name === undefined) return fatal("missing command name; use --help for help");
  const chosen = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (chosen === undefined) return fatal(`unknown command '${name}'; use --help for help`);
  const folders = directories(process, "ovs");
  const bare = makeHost(silentLog);
  const vlog = new Vlog({ program: "ovsdb-client", pid: process.pid, clock: bare.clock, disk: bare.disk, console: (text) => process.err(text) });
  const wrong = applyVlogOptions(vlog, options, "ovsdb-client", folders);
  if (wrong !== undefined) return fatal(wrong);
  const host = { ...bare, log: vlog.log };
  const seconds = Number(lastValue(options, "timeout") ?? 0);
  const timer = seconds > 0 ? host.clock.after(seconds * 1000, () => process.dieOf("SIGALRM")) : undefined;
  const [remote, args] = takeRemote(chosen, given, folders);
  const connection = await ClientConnection.open(host, remote);
  try {
    const [database, own] = chosen.needsDatabase ? await takeDatabase(connection, name, chosen, args) : ["", args];
    if (own.length < chosen.minArgs || own.length > chosen.maxArgs) return fatal(`invalid syntax for '${name}' (use --help for help)`);
    await chosen.run(makeCall({ process, host, vlog, folders, options }, connection, database, own));
  } finally {
    connection.close();
    timer?.cancel();
  }
}

function makeCall(place: StayPlace, connection: ClientConnection, database: string, args: readonly string[]): Call {
  const { process, host, options } = place;
  const style = styleFrom(options);
  let shown = 0;
  return {
    host, process, connection, database, args, style,
    force: isGiven(options, "force"),
    timestamps: isGiven(options, "timestamp"),
    stay: (manner) => Stay.begin(place, manner),
    changeAware: awarenessFrom(options),
    print: (json) => process.out(`${style.pretty ? printJsonPretty(json) : printJsonSorted(json)}\n`),
    show(tables) {
      for (const table of tables) process.out(printTable(table, style, shown++ === 0));
    },
  };
}

function awarenessFrom(options: readonly GivenOption[]): boolean | undefined {
  const last = options.findLast(({ name }) => name === "db-change-aware" || name === "no-db-change-aware");
  return last === undefined ? undefined : last.name === "db-change-aware";
}

const isRemote = (text: string | undefined): boolean => text !== undefined && (parseActiveTarget(text) !== undefined || /^(ssl|pssl|ptcp|punix):/.test(text));

function takeRemote(chosen: ClientCommand, args: readonly string[], folders: Directories): [remote: string, rest: readonly string[]] {
  const [first, ...others] = args;
  const path = (remote: string): string => remote.replace(/^unix:(?!\/)/, `unix:${folders.ovsRun}/`);
  if (first !== undefined && args.length > chosen.minArgs && isRemote(first)) return [path(first), others];
  return [`unix:${folders.ovsRun}/db.sock`, args];
}

async function takeDatabase(
  connection: ClientConnection, name: string, chosen: ClientCommand, args: readonly string[],
): Promise<[database: string, rest: readonly string[]]> {
  const known = await connection.listDatabases();
  const [first, ...others] = args;
  if (first !== undefined && args.length > chosen.minArgs && known.includes(first)) return [first, others];
  const served = known.filter((database) => !database.startsWith("_"));
  if (served.includes("Open_vSwitch")) return ["Open_vSwitch", args];
  const [only] = served;
  if (served.length === 1 && only !== undefined) return [only, args];
  return fatal(`no default database for \`${name}' command, please specify a database name`);
}

const help = (): string =>
  "ovsdb-client: Open vSwitch database JSON-RPC client\nusage: ovsdb-client [OPTIONS] COMMAND [ARG...]\n\nValid commands are:\n\n" +
  Object.entries(commands).map(([name, { usage }]) => `  ${name} ${usage}\n`).join("") +
  "\nThe default SERVER is the socket db.sock in the run-time folder; the default DATABASE is Open_vSwitch.\n\n" +
  "  -f, --format=FORMAT         table, list, html, csv or json\n  -d, --data=FORMAT           string, bare or json\n" +
  "  --no-headings, --bare, --pretty, --max-column-width=N, --timestamp\n  -t, --timeout=SECS          give up after SECS seconds\n" +
  "  -h, --help                  display this help message\n  -V, --version               display version information\n";
