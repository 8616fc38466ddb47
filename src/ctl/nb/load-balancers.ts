/** Load balancers: lb-*, ls-lb-*, lr-lb-*. */
import { formatIp, type Ip, parseIp } from "../../net/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, findNamed, getNamed, type Nb, type NbContext, type NbRow } from "./find.ts";
import { tableCell } from "./nat.ts";

type Balancer = NbRow<"Load_Balancer">;
const balancerReads = ["Load_Balancer:name,protocol,vips,options"];
const reads = [
  ...balancerReads, "Load_Balancer_Group:load_balancer", "Logical_Switch:name,load_balancer,load_balancer_group",
  "Logical_Router:name,load_balancer,load_balancer_group",
];

export const loadBalancerCommands: readonly Command<Nb>[] = commands<Nb>("Load balancers", [
  {
    name: "lb-add", usage: "LB VIP[:PORT] IP[:PORT]... [PROTOCOL] [ADDRESS_FAMILY]", minArgs: 3, maxArgs: 5,
    options: "--may-exist,--add-duplicate,--reject,--event,--add-route,--template", help: "add a virtual address, creating the load balancer where needed",
    writes: true, reads: balancerReads, run: add,
  },
  { name: "lb-del", usage: "LB [VIP]", minArgs: 1, maxArgs: 2, options: "--if-exists", help: "delete a load balancer or a virtual address", writes: true, reads: balancerReads, run: remove },
  {
    name: "lb-list", usage: "[LB]", minArgs: 0, maxArgs: 1, options: "", help: "print load balancers", writes: false, reads: balancerReads,
    run(context) {
      const [name] = context.args;
      context.output = printBalancers(context, context.db.rows("Load_Balancer").filter((row) => name === undefined || row.name === name));
    },
  },
  ...attachments("lr", "Logical_Router", "ROUTER", "router"),
  ...attachments("ls", "Logical_Switch", "SWITCH", "switch"),
]);

/** The three commands that routers and switches have alike. */
function attachments(prefix: string, table: "Logical_Router" | "Logical_Switch", word: string, noun: string): readonly Command<Nb>[] {
  const ownerOf = (context: NbContext): NbRow<"Logical_Router"> | NbRow<"Logical_Switch"> => {
    const given = argument(context, 0);
    return table === "Logical_Router" ? getNamed(context, "Logical_Router", given) : getNamed(context, "Logical_Switch", given);
  };
  const change = ({ db }: NbContext, owner: NbRow<"Logical_Router"> | NbRow<"Logical_Switch">, how: "add" | "remove", uuids: readonly string[]): void => {
    if (owner._table === "Logical_Router") db[how](owner as NbRow<"Logical_Router">, "load_balancer", ...uuids);
    else db[how](owner as NbRow<"Logical_Switch">, "load_balancer", ...uuids);
  };
  return [
    {
      name: `${prefix}-lb-add`, usage: `${word} LB`, minArgs: 2, maxArgs: 2, options: "--may-exist", help: `attach a load balancer to a ${noun}`, writes: true, reads,
      run(context) {
        const owner = ownerOf(context);
        const balancer = getNamed(context, "Load_Balancer", argument(context, 1));
        if (!owner.load_balancer.has(balancer._uuid)) change(context, owner, "add", [balancer._uuid]);
        else if (!context.options.has("--may-exist")) fail(`${balancer._uuid} : a load balancer with this UUID already exists`);
      },
    },
    {
      name: `${prefix}-lb-del`, usage: `${word} [LB]`, minArgs: 1, maxArgs: 2, options: "--if-exists", help: `detach load balancers from a ${noun}`, writes: true, reads,
      run(context) {
        const owner = ownerOf(context);
        const given = context.args[1];
        if (given === undefined) {
          change(context, owner, "remove", [...owner.load_balancer]);
          return;
        }
        const balancer = getNamed(context, "Load_Balancer", given);
        if (owner.load_balancer.has(balancer._uuid)) change(context, owner, "remove", [balancer._uuid]);
        else if (!context.options.has("--if-exists")) fail(`load balancer ${balancer.name} is not part of any logical ${noun}.`);
      },
    },
    {
      name: `${prefix}-lb-list`, usage: word, minArgs: 1, maxArgs: 1, options: "", help: `print the load balancers of a ${noun}`, writes: false, reads,
      run(context) {
        const { db } = context;
        const owner = ownerOf(context);
        const inGroups = db.those("Load_Balancer_Group", owner.load_balancer_group).flatMap((group) => [...group.load_balancer]);
        context.output = printBalancers(context, db.those("Load_Balancer", [...owner.load_balancer, ...inGroups]));
      },
    },
  ];
}

interface Endpoint {
  readonly ip: Ip;
  /** 0: none. */
  readonly port: number;
}

/** `IP`, `IP:PORT` or `[IPv6]:PORT`. */
function parseEndpoint(text: string): Endpoint | undefined {
  const colons = text.split(":").length - 1;
  const [, host = text, port = "0"] = /^\[(.*)\](?::(\d*))?$/.exec(text) ?? (colons === 1 ? /^([^:]*):(\d*)$/.exec(text) : null) ?? [];
  const ip = parseIp(host);
  return ip === undefined || Number(port) > 65535 ? undefined : { ip, port: Number(port) };
}

function formatEndpoint({ ip, port }: Endpoint): string {
  const address = ip.family === 6 && port > 0 ? `[${formatIp(ip)}]` : formatIp(ip);
  return port > 0 ? `${address}:${port}` : address;
}

interface Service {
  readonly vip: string;
  readonly backends: string;
  readonly hasPort: boolean;
}

function parseService(vipText: string, backendsText: string): Service {
  const vip = parseEndpoint(vipText) ?? fail(`${vipText}: should be an IP address (or an IP address and a port number with : as a separator).`);
  const { backends, errors } = parseBackends(backendsText, vip);
  if (errors.length > 0) fail(`${errors.join(", ")}.`);
  return { vip: formatEndpoint(vip), backends: backends.join(","), hasPort: vip.port > 0 };
}

function parseBackends(text: string, vip: Endpoint): { readonly backends: readonly string[]; readonly errors: readonly string[] } {
  const backends: string[] = [];
  const errors: string[] = [];
  for (const token of text.split(",").filter((t) => t !== "")) {
    const backend = parseEndpoint(token);
    if (backend === undefined) {
      errors.push(vip.port > 0 ? `${token}: should be an IP address and a port number with : as a separator` : `${token}: should be an IP address`);
    } else if (backend.ip.family !== vip.ip.family) errors.push(`${token}: IP address family is different from VIP ${formatIp(vip.ip)}`);
    else if (vip.port > 0 && backend.port === 0) errors.push(`${token}: should be an IP address and a port number with : as a separator`);
    else if (vip.port === 0 && backend.port > 0) errors.push(`${token}: should be an IP address`);
    else backends.push(formatEndpoint(backend));
  }
  return { backends, errors };
}

/** `^variable[:^port]`, or for backends also plain addresses (ovn-nb(5), "Chassis_Template_Var"). */
function parseTemplate(vipText: string, backendsText: string, family: 4 | 6): Service {
  const parts = vipText.split(":").filter((p) => p !== "");
  if (parts.length === 0 || parts.length > 2) fail(`${vipText}: should be a template of the form: '^vip_variable[:^port_variable|:port]'.`);
  const hasPort = parts.length === 2;
  const zero = family === 4 ? "0.0.0.0" : "::";
  const plainVip: Endpoint = { ip: parseIp(zero) ?? fail(zero), port: hasPort ? 1 : 0 };
  const backends: string[] = [];
  const errors: string[] = [];
  for (const token of backendsText.split(",").filter((t) => t !== "")) {
    if (!token.startsWith("^")) {
      const parsed = parseBackends(token, plainVip);
      backends.push(...parsed.backends);
      errors.push(...parsed.errors);
    } else if (token.split(":").filter((p) => p !== "").length > 2) {
      errors.push(`${token}: should be a template of the form: '^backendip_variable1[:^port_variable1|:port]'`);
    } else backends.push(token);
  }
  if (errors.length > 0) fail(`invalid backend: template (${errors.join(", ")}.)`);
  return { vip: parts.join(":"), backends: backends.join(","), hasPort };
}

function add(context: NbContext): void {
  const { db, options } = context;
  const [name = "", vipText = "", backendsText = "", protocolText, familyText] = context.args;
  if (options.has("--event") && options.has("--reject")) fail("--reject and --event can't specified at the same time");
  const protocol = (["tcp", "udp", "sctp"] as const).find((p) => p === (protocolText ?? "tcp")) ??
    fail(`${protocolText}: protocol must be one of "tcp", "udp",  or "sctp".`);
  const family = familyText === undefined || familyText === "ipv4" ? 4 : 6;
  const isTemplate = options.has("--template");
  const { vip, backends, hasPort } = isTemplate ? parseTemplate(vipText, backendsText, family) : parseService(vipText, backendsText);
  if (protocolText !== undefined && !hasPort) fail("Protocol is unnecessary when no port of vip is given.");
  const existing = options.has("--add-duplicate") ? undefined : findNamed(context, "Load_Balancer", name);
  if (existing !== undefined) {
    if (existing.vips.has(vip) && !options.has("--may-exist")) fail(`${name}: a load balancer with this vip (${vip}) already exists`);
    db.put(existing, "vips", { [vip]: backends });
    if (protocolText !== undefined) db.update(existing, { protocol });
    return;
  }
  db.insert("Load_Balancer", {
    name, protocol, vips: { [vip]: backends },
    options: {
      ...(options.has("--reject") ? { reject: "true" } : {}),
      ...(options.has("--event") ? { event: "true" } : {}),
      ...(options.has("--add-route") ? { add_route: "true" } : {}),
      ...(isTemplate ? { template: "true", "address-family": `ipv${family}` } : {}),
    },
  });
}

function remove(context: NbContext): void {
  const { db, options } = context;
  const [name = "", vip] = context.args;
  const balancer = findNamed(context, "Load_Balancer", name);
  if (balancer === undefined) return;
  if (vip === undefined) {
    db.delete(balancer);
    return;
  }
  if (!balancer.vips.has(vip)) {
    if (!options.has("--if-exists")) fail(`vip ${vip} is not part of the load balancer.`);
    return;
  }
  if (balancer.vips.size === 1) db.delete(balancer);
  else db.put(balancer, "vips", { [vip]: undefined });
}

function printBalancers(context: NbContext, balancers: readonly Balancer[]): string {
  const width = Math.max(0, ...balancers.flatMap((row) => [...row.vips.keys()].map((vip) => vip.length)));
  const vipCell = (vip: string): string => tableCell(vip, width + 4, width);
  const blocks = balancers.filter((row) => row.vips.size > 0).map((row) => ({ name: tableCell(row.name, 20, 16), text: printBalancer(context, row, vipCell) }));
  if (blocks.length === 0) return "";
  const sorted = blocks.sort((a, b) => compareText(a.name, b.name)).map((block) => `${block.text}\n`);
  return `${tableCell("UUID", 40, 36)}${tableCell("LB", 20, 16)}${tableCell("PROTO", 11, 7)}${vipCell("VIP")}IPs\n${sorted.join("")}`;
}

function printBalancer(context: NbContext, row: Balancer, vipCell: (vip: string) => string): string {
  const isTemplate = row.options.get("template") === "true";
  const lines: string[] = [];
  [...row.vips].sort(([a], [b]) => compareText(a, b)).forEach(([vip, backends], i) => {
    const endpoint = parseEndpoint(vip);
    if (!isTemplate && endpoint === undefined) return;
    if (isTemplate && row.protocol === undefined) {
      context.warn(`Load Balancer ${row._uuid} (${row.name}) is a template and misses protocol`);
      return;
    }
    const protocol = isTemplate || (endpoint?.port ?? 0) > 0 ? (row.protocol ?? "(null)") : "";
    const head = i === 0 ? `${row._uuid}    ${tableCell(row.name, 20, 16)}` : " ".repeat(60);
    lines.push(`${head}${tableCell(protocol, 11, 7)}${vipCell(vip)}${backends}`);
  });
  return lines.join("\n");
}
