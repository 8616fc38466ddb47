/** ovsdb-tool(1): database files without a server. Standalone databases only. */
import { applyVlogOptions, directories, type Directories, informationOptions, isGiven, parseOptions, versionText, Vlog, vlogOptions } from "../daemon/index.ts";
import type { Host, Log, Process } from "../host/index.ts";
import {
  compactDatabaseFile, DatabaseFile, type DatabaseSchema, isStandaloneFile, type Json, JsonSyntaxError, OvsdbError, parseJson, printJsonSorted,
  readDatabaseSchema, schemaFromJson, schemaToJson, transactDatabaseFile,
} from "../ovsdb/index.ts";
import { Fatal, fatal } from "./fatal.ts";
import { showLog } from "./show-log.ts";

interface Place {
  readonly host: Host;
  readonly process: Process;
  readonly folders: Directories;
  /** How often -m was given. */
  readonly more: number;
}

interface ToolCommand {
  readonly usage: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  run(place: Place, args: readonly string[]): void;
}

const good = <T>(value: T | OvsdbError): T => {
  if (value instanceof OvsdbError) throw new Fatal(String(value));
  return value;
};

const defaultDatabase = (place: Place): string => `${place.folders.ovsDatabases}/conf.db`;
const defaultSchema = (place: Place): string => `${place.folders.ovsData}/vswitch.ovsschema`;

export function readSchemaFile(host: Host, path: string): DatabaseSchema {
  let text = "";
  try {
    text = host.disk.readText(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error && error.code === "ENOENT" ? "No such file or directory" : String(error);
    return fatal(`failed to read schema: "${path}" could not be read as JSON (error opening "${path}": ${reason})`);
  }
  const json = parseJson(text);
  if (json instanceof JsonSyntaxError) return fatal(`failed to read schema: "${path}" could not be read as JSON (${json.message})`);
  const schema = schemaFromJson(json);
  return schema instanceof OvsdbError ? fatal(String(schema.within(`failed to parse "${path}" as ovsdb schema`))) : schema;
}

export function parseTransaction(text: string): Json {
  const json = parseJson(text);
  return json instanceof JsonSyntaxError ? fatal(json.message) : json;
}

const print = (place: Place, text: string): void => place.process.out(`${text}\n`);
const schemaOf = (place: Place, path: string): DatabaseSchema => good(readDatabaseSchema(place.host.disk, path));

const sameSchema = (a: DatabaseSchema, b: DatabaseSchema): boolean => printJsonSorted(schemaToJson(a)) === printJsonSorted(schemaToJson(b));

function transact(place: Place, args: readonly string[], readOnly: boolean): void {
  const [path, text] = args.length > 1 ? args : [defaultDatabase(place), args[0]];
  const json = parseTransaction(text ?? "");
  const options = { readOnly, wallMs: place.host.clock.wall(), makeUuid: () => place.host.random.uuid() };
  print(place, printJsonSorted(good(transactDatabaseFile(place.host.disk, place.host.log, path ?? "", json, options))));
}

function rewrite(place: Place, source: string, target: string | undefined, schema: DatabaseSchema | undefined, comment: string): void {
  const { disk, log, clock, random } = place.host;
  const options = { schema, comment, wallMs: clock.wall(), makeUuid: () => random.uuid() };
  const bad = compactDatabaseFile(disk, log, source, target ?? source, options);
  if (bad !== undefined) fatal(String(bad));
}

function compareVersions(args: readonly string[]): number {
  const [a, op = "", b] = args;
  const parse = (text = ""): number[] => (/^\d+\.\d+\.\d+$/.test(text) ? text.split(".").map(Number) : fatal(`${text}: not an OVSDB version number in format x.y.z`));
  const [x, y] = [parse(a), parse(b)];
  const order = x.map((n, i) => n - (y[i] ?? 0)).find((d) => d !== 0) ?? 0;
  const holds: { readonly [op: string]: boolean } = {
    "<": order < 0, "<=": order <= 0, "==": order === 0, ">=": order >= 0, ">": order > 0, "!=": order !== 0,
  };
  const result = Object.hasOwn(holds, op) ? holds[op] : fatal(`${op}: not a relational operator`);
  return result === true ? 0 : 2;
}

const clustered = (): never => fatal("clustered databases are not supported; use `create' for a standalone database");
const notClustered = (_place: Place, [path = ""]: readonly string[]): never => fatal(`${path}: not a clustered database`);

const database = (show: (schema: DatabaseSchema) => string): ToolCommand => ({
  usage: "[DB]", minArgs: 0, maxArgs: 1,
  run: (place, [path]) => print(place, show(schemaOf(place, path ?? defaultDatabase(place)))),
});
const schemaFile = (show: (schema: DatabaseSchema) => string): ToolCommand => ({
  usage: "[SCHEMA]", minArgs: 0, maxArgs: 1,
  run: (place, [path]) => print(place, show(readSchemaFile(place.host, path ?? defaultSchema(place)))),
});

const commands: { readonly [name: string]: ToolCommand } = {
  create: {
    usage: "[DB [SCHEMA]]", minArgs: 0, maxArgs: 2,
    run(place, [path, schemaPath]) {
      const schema = readSchemaFile(place.host, schemaPath ?? defaultSchema(place));
      const bad = DatabaseFile.create(place.host.disk, path ?? defaultDatabase(place), schema);
      if (bad !== undefined) fatal(String(bad));
    },
  },
  "create-cluster": { usage: "DB CONTENTS LOCAL", minArgs: 3, maxArgs: 3, run: clustered },
  "join-cluster": { usage: "DB NAME LOCAL REMOTE...", minArgs: 4, maxArgs: Infinity, run: clustered },
  "cluster-to-standalone": { usage: "DB CLUSTERDB", minArgs: 2, maxArgs: 2, run: clustered },
  compact: {
    usage: "[DB [DST]]", minArgs: 0, maxArgs: 2,
    run: (place, [path, target]) => rewrite(place, path ?? defaultDatabase(place), target, undefined, "compacted by ovsdb-tool"),
  },
  convert: {
    usage: "[DB [SCHEMA [DST]]]", minArgs: 0, maxArgs: 3,
    run(place, [path, schemaPath, target]) {
      const schema = readSchemaFile(place.host, schemaPath ?? defaultSchema(place));
      rewrite(place, path ?? defaultDatabase(place), target, schema, "converted by ovsdb-tool");
    },
  },
  "needs-conversion": {
    usage: "[DB [SCHEMA]]", minArgs: 0, maxArgs: 2,
    run(place, [path, schemaPath]) {
      const stored = schemaOf(place, path ?? defaultDatabase(place));
      print(place, sameSchema(stored, readSchemaFile(place.host, schemaPath ?? defaultSchema(place))) ? "no" : "yes");
    },
  },
  "db-name": database((schema) => schema.name),
  "db-version": database((schema) => schema.version),
  "db-cksum": database((schema) => schema.cksum ?? ""),
  "db-cid": { usage: "DB", minArgs: 1, maxArgs: 1, run: notClustered },
  "db-sid": { usage: "DB", minArgs: 1, maxArgs: 1, run: notClustered },
  "db-local-address": { usage: "DB", minArgs: 1, maxArgs: 1, run: notClustered },
  "db-is-clustered": { usage: "DB", minArgs: 1, maxArgs: 1, run: (place, [path = ""]) => exitUnless(!isStandaloneFile(place.host.disk, path)) },
  "db-is-standalone": { usage: "DB", minArgs: 1, maxArgs: 1, run: (place, [path = ""]) => exitUnless(isStandaloneFile(place.host.disk, path)) },
  "schema-name": schemaFile((schema) => schema.name),
  "schema-version": schemaFile((schema) => schema.version),
  "schema-cksum": schemaFile((schema) => schema.cksum ?? ""),
  "compare-versions": {
    usage: "A OP B", minArgs: 3, maxArgs: 3,
    run: (_place, args) => exitUnless(compareVersions(args) === 0),
  },
  query: { usage: "[DB] TRNS", minArgs: 1, maxArgs: 2, run: (place, args) => transact(place, args, true) },
  transact: { usage: "[DB] TRNS", minArgs: 1, maxArgs: 2, run: (place, args) => transact(place, args, false) },
  "show-log": {
    usage: "[DB]", minArgs: 0, maxArgs: 1,
    run: (place, [path]) => showLog(place.host.disk, path ?? defaultDatabase(place), place.more, (text) => place.process.out(text)),
  },
};

/** Commands that answer a question do so by exit code 2 for no. */
function exitUnless(yes: boolean): void {
  if (!yes) throw new Fatal("", 2);
}

export function runOvsdbTool(process: Process, makeHost: (log: Log) => Host): number {
  const specs = [
    ...vlogOptions, ...informationOptions,
    { name: "more", short: "m", argument: "none" }, { name: "rbac-role", argument: "required" },
    { name: "election-timer", argument: "required" }, { name: "cid", argument: "required" },
  ] as const;
  const folders = directories(process, "ovs");
  const parsed = parseOptions(process.args, specs, true);
  try {
    if (parsed.kind === "error") return fatal(parsed.text);
    if (isGiven(parsed.options, "help")) {
      process.out(help());
      return 0;
    }
    if (isGiven(parsed.options, "version")) {
      process.out(versionText("ovsdb-tool", "ovs"));
      return 0;
    }
    const bare = makeHost(silent);
    const vlog = new Vlog({ program: "ovsdb-tool", pid: process.pid, clock: bare.clock, disk: bare.disk, console: (text) => process.err(text) });
    const wrong = applyVlogOptions(vlog, parsed.options, "ovsdb-tool", folders);
    if (wrong !== undefined) return fatal(wrong);
    const place = { host: { ...bare, log: vlog.log }, process, folders, more: parsed.options.filter((o) => o.name === "more").length };
    run(place, parsed.rest);
    return 0;
  } catch (error) {
    if (!(error instanceof Fatal)) throw error;
    if (error.message !== "") process.err(`ovsdb-tool: ${error.message}\n`);
    return error.code;
  }
}

function run(place: Place, [name, ...args]: readonly string[]): void {
  if (name === undefined) return fatal("missing command name; use --help for help");
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return fatal(`unknown command '${name}'; use --help for help`);
  if (args.length < command.minArgs) return fatal(`'${name}' command requires at least ${command.minArgs} arguments`);
  if (args.length > command.maxArgs) return fatal(`'${name}' command takes at most ${command.maxArgs} arguments`);
  command.run(place, args);
}

const silent: Log = { module: () => silent, emer() {}, err() {}, warn() {}, info() {}, dbg() {} };

const help = (): string =>
  `ovsdb-tool: Open vSwitch database management utility\nusage: ovsdb-tool [OPTIONS] COMMAND [ARG...]\n` +
  Object.entries(commands).map(([name, { usage }]) => `  ${name} ${usage}\n`).join("") +
  "  -m, --more                  increase show-log verbosity\n  -h, --help                  display this help message\n  -V, --version               display version information\n";

