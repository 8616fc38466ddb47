/** Access control lists of switches and port groups: acl-*. */
import type { Atom } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { CommandError, fail } from "../command-error.ts";
import { findTable } from "../names.ts";
import { setColumn } from "../verbs-write.ts";
import { compareText, findNamed, getNamed, leadingInteger, type Nb, type NbContext, type NbRow, parseDirection, parsePriority } from "./find.ts";

type Acl = NbRow<"ACL">;
type Owner = NbRow<"Logical_Switch"> | NbRow<"Port_Group">;

const reads = ["Logical_Switch:name,acls,ports", "Port_Group:name,acls,ports", "ACL", "Network_Function_Group:name", "Sample", "Sample_Collector"];

export const aclCommands: readonly Command<Nb>[] = commands<Nb>("ACLs", [
  {
    name: "acl-add", usage: "{SWITCH | PORTGROUP} DIRECTION PRIORITY MATCH ACTION [NETWORK-FUNCTION-GROUP]", minArgs: 5, maxArgs: 7,
    options:
      "--log,--may-exist,--type=,--name=,--severity=,--meter=,--label=,--apply-after-lb,--tier=,--sample-new=,--sample-est=",
    help: "add an ACL", writes: true, reads, run: add,
  },
  {
    name: "acl-del", usage: "{SWITCH | PORTGROUP} [DIRECTION [PRIORITY MATCH]]", minArgs: 1, maxArgs: 4, options: "--type=,--tier=", help: "delete ACLs",
    writes: true, reads, run: remove,
  },
  {
    name: "acl-list", usage: "{SWITCH | PORTGROUP}", minArgs: 1, maxArgs: 2, options: "--all,--type=", help: "print ACLs", writes: false, reads, run: list,
  },
]);

function ownerOf(context: NbContext): Owner {
  const given = argument(context, 0);
  const type = context.options.get("--type");
  if (type === "port-group") return getNamed(context, "Port_Group", given);
  if (type === "switch") return getNamed(context, "Logical_Switch", given);
  if (type !== undefined) fail(`Invalid value '${type}' for option --type`);
  const group = findNamed(context, "Port_Group", given);
  const owner = findNamed(context, "Logical_Switch", given);
  if (group !== undefined && owner !== undefined) {
    fail(`Same name '${given}' exists in both port-groups and logical switches. Specify --type=port-group or switch, or use a UUID.`);
  }
  return group ?? owner ?? fail(`'${given}' is not found for port-group or switch.`);
}

interface AclKey {
  readonly direction: string;
  readonly priority: number;
  readonly match: string;
  readonly tier: number;
  readonly options: ReadonlyMap<string, string>;
}

const afterLb = (acl: AclKey): number => (acl.options.get("apply-after-lb") === "true" ? 1 : 0);

/** The order in which they are printed; 0 for two that cannot both be. */
function compareAcls(a: AclKey, b: AclKey): number {
  return (
    compareText(a.direction, b.direction) || afterLb(a) - afterLb(b) || a.tier - b.tier || b.priority - a.priority || compareText(a.match, b.match)
  );
}

const actions = ["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"] as const;
const severities = ["alert", "warning", "notice", "info", "debug"] as const;

function add(context: NbContext): void {
  const { db, options } = context;
  const owner = ownerOf(context);
  const [given = "", directionText = "", priorityText = "", match = "", actionText = "", groupName] = context.args;
  const direction = parseDirection(directionText);
  const priority = parsePriority(priorityText);
  const action = actions.find((a) => a === actionText) ?? fail(`${actionText}: action must be one of "allow", "allow-related", "allow-stateless", "drop", and "reject"`);
  const group = groupName === undefined ? undefined : getNamed(context, "Network_Function_Group", groupName);
  const severityText = options.get("--severity");
  const severity = severityText === undefined ? undefined : severities.find((s) => s === severityText) ?? fail(`bad severity: ${severityText}`);
  const [name, meter] = [options.get("--name"), options.get("--meter")];
  const acl = db.insert("ACL", {
    priority, direction, match, action,
    ...(group === undefined ? {} : { network_function_group: group._uuid }),
    ...(options.has("--log") || severity !== undefined || name !== undefined || meter !== undefined ? { log: true } : {}),
    ...(severity === undefined ? {} : { severity }),
    ...(name === undefined ? {} : { name }),
    ...(meter === undefined ? {} : { meter }),
  });
  setSample(context, acl, "--sample-new", "sample_new");
  setSample(context, acl, "--sample-est", "sample_est");
  db.update(acl, { label: labelOf(context, action), tier: tierOf(context) ?? 0 });
  if (direction === "from-lport" && options.has("--apply-after-lb")) db.update(acl, { options: { "apply-after-lb": "true" } });
  if (aclsOf(context, owner).some((other) => compareAcls(other, acl) === 0)) {
    if (!options.has("--may-exist")) fail(`Same ACL already existed on the ls ${given}.`);
    db.delete(acl);
    return;
  }
  changeAcls(context, owner, "add", [acl._uuid]);
}

function setSample(context: NbContext, acl: Acl, option: "--sample-new" | "--sample-est", column: string): void {
  const { db, symbols, options } = context;
  const value = options.get(option);
  if (value === undefined) return;
  try {
    setColumn(db, findTable(db.schema, "ACL"), db.work(acl), `${column}=${value}`, symbols);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    fail(`invalid ${option}: ${error.message}`);
  }
}

function labelOf({ options }: NbContext, action: string): number {
  const text = options.get("--label");
  if (text === undefined) return 0;
  if (action !== "allow" && action !== "allow-related") fail('label can only be set with actions "allow" or "allow-related"');
  const label = leadingInteger(text);
  return label >= 0 && label <= 0xffffffff ? label : fail(`${text}: label must in range 0...4294967295`);
}

function tierOf({ options }: NbContext): number | undefined {
  const text = options.get("--tier");
  if (text === undefined) return undefined;
  return /^[+-]?\d+$/.test(text) ? Number(text) : fail(`Invalid tier ${text}`);
}

const aclsOf = ({ db }: NbContext, owner: Owner): readonly Acl[] => db.those("ACL", owner.acls);

function changeAcls({ db }: NbContext, owner: Owner, how: "add" | "remove", uuids: readonly Atom[]): void {
  if (owner._table === "Port_Group") db[how](owner as NbRow<"Port_Group">, "acls", ...uuids);
  else db[how](owner as NbRow<"Logical_Switch">, "acls", ...uuids);
}

function remove(context: NbContext): void {
  const { args } = context;
  const owner = ownerOf(context);
  const tier = tierOf(context);
  const [, directionText, priorityText, match] = args;
  const direction = directionText === undefined ? undefined : parseDirection(directionText);
  const priority = priorityText === undefined ? undefined : parsePriority(priorityText);
  if (priority !== undefined && match === undefined) fail("cannot specify priority without match");
  const gone = aclsOf(context, owner).filter(
    (acl) =>
      (tier === undefined || acl.tier === tier) && (direction === undefined || acl.direction === direction) &&
      (priority === undefined || (acl.priority === priority && acl.match === match)),
  );
  changeAcls(context, owner, "remove", gone.map((acl) => acl._uuid));
}

function list(context: NbContext): void {
  const { db, options } = context;
  const owner = ownerOf(context);
  context.output = printAcls(context, aclsOf(context, owner), undefined);
  if (!options.has("--all") || owner._table === "Port_Group") return;
  const ports = new Set<string>((owner as NbRow<"Logical_Switch">).ports);
  for (const group of db.rows("Port_Group")) {
    if ([...group.ports].some((port) => ports.has(port))) context.output += printAcls(context, aclsOf(context, group), group.name);
  }
}

function printAcls({ db }: NbContext, acls: readonly Acl[], group: string | undefined): string {
  const lines = [...acls].sort(compareAcls).map((acl) => {
    const functions = db.row("Network_Function_Group", acl.network_function_group);
    const log = [
      ...(acl.name === undefined ? [] : [`name=${acl.name}`]),
      ...(acl.severity === undefined ? [] : [`severity=${acl.severity}`]),
      ...(acl.meter === undefined ? [] : [`meter="${acl.meter}"`]),
    ];
    const words = [
      acl.direction.padStart(10), String(acl.priority).padStart(5), `(${acl.match})`, acl.action,
      functions === undefined ? undefined : `network-function-group=${functions.name}`,
      acl.log ? `log(${log.join(",")})` : undefined,
      acl.label === 0 ? undefined : `label=${acl.label}`,
      `[tier ${acl.tier}]`,
      afterLb(acl) === 1 ? "[after-lb]" : undefined,
      group === undefined ? undefined : `[${group}]`,
    ];
    return `${words.filter((word) => word !== undefined).join(" ")}\n`;
  });
  return lines.join("");
}
