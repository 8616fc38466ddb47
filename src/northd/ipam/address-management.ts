/**
 * Gives out addresses: to each port that says "dynamic" a MAC, an IPv4 address of the switch's subnet, and an IPv6 address
 * made of the switch's prefix and the MAC. What was given out before stays as long as it can (northd's ipam.c).
 */
import { type Sink, untracked } from "../../engine/index.ts";
import type { Log } from "../../host/index.ts";
import { eui64, formatIpv4, formatIpv6, formatMac, type Ipv4, type Ipv6, ipv6Mask, type Mac, parseIpv4, parseIpv6, parseMac } from "../../net/index.ts";
import { compareBytes, macAt, parseMacAndIps } from "../port-addresses.ts";
import { macPrefix } from "../topology/settings.ts";
import type { LogicalSwitch, SwitchPort } from "../topology/topology.ts";
import { ValuesByKey } from "../values-by-key.ts";
import type { AddressUse } from "./address-use.ts";
import type { AddressPlan, Subnet } from "./subnet.ts";

interface Assignment {
  readonly mac: Mac;
  readonly ipv4: Ipv4 | undefined;
  readonly ipv6: Ipv6 | undefined;
}

type Staying = Partial<Pick<Assignment, "mac" | "ipv4">>;

/** What is in use on one switch. */
interface Usage {
  /** How many ports have it by their own configuration. */
  readonly fixed: Map<number, number>;
  readonly given: Map<number, SwitchPort>;
  asking: number;
}

interface Asker {
  /** The fact that asks: one of the same port in other words may come before this one goes. */
  readonly use: AddressUse;
  readonly port: SwitchPort;
  readonly owner: LogicalSwitch;
  readonly usage: Usage;
  readonly plan: AddressPlan;
  readonly asks: string;
}

/** The parts of an entry such as `dynamic 10.0.0.9 fd00::9` or `02:..:01 dynamic`. */
interface Asked {
  readonly mac: Mac | undefined;
  readonly ipv4: Ipv4 | undefined;
  readonly ipv6: Ipv6 | undefined;
}

function parseAsked(text: string): Asked {
  const own = macAt(text);
  const words = text.startsWith("dynamic") ? text.split(/\s+/).slice(1) : [];
  const ipv4 = words.map(parseIpv4).find((ip) => ip !== undefined);
  const ipv6 = words.filter((w) => w.includes(":")).map(parseIpv6).find((ip) => ip !== undefined);
  return { mac: own?.mac, ipv4, ipv6 };
}

export class AddressManagement implements Sink<AddressUse> {
  readonly #log: Log;
  readonly #usages = new Map<LogicalSwitch, Usage>();
  readonly #macs = new Map<Mac, number>();
  readonly #askers = new Map<SwitchPort, Asker>();
  readonly #assignments = new Map<SwitchPort, Assignment>();
  /** Of ports whose request has gone, and may come again in another form within the flush. */
  readonly #former = new Map<SwitchPort, Assignment>();
  readonly #texts = new ValuesByKey<string>("dynamic addresses");
  /** To be looked at again. */
  readonly #stirred = new Set<SwitchPort>();

  constructor(log: Log) {
    this.#log = log.module("ipam");
  }

  get(port: string): string | undefined {
    return this.#texts.get(port);
  }

  added(use: AddressUse): void {
    const { port, owner, plan, asks, ips, macs } = use;
    for (const mac of macs) increment(this.#macs, mac);
    if (owner === undefined || port === undefined) return;
    const usage = this.#usage(owner);
    for (const ip of ips) {
      increment(usage.fixed, ip);
      const loser = usage.given.get(ip);
      if (loser !== undefined) this.#stirred.add(loser);
    }
    if (asks === undefined || plan === undefined) return;
    usage.asking++;
    this.#askers.set(port, { use, port, owner, usage, plan, asks });
    this.#stirred.add(port);
  }

  removed(use: AddressUse): void {
    const { port, owner, asks, ips, macs } = use;
    for (const mac of macs) decrement(this.#macs, mac);
    if (owner === undefined || port === undefined) return;
    const usage = this.#usage(owner);
    for (const ip of ips) decrement(usage.fixed, ip);
    if (asks === undefined) return;
    usage.asking--;
    if (this.#askers.get(port)?.use === use) this.#askers.delete(port);
    this.#stirred.add(port);
    const assignment = this.#take(port, usage);
    if (assignment !== undefined) this.#former.set(port, assignment);
    if (usage.asking + usage.fixed.size === 0) this.#usages.delete(owner);
  }

  settle(): void {
    if (this.#stirred.size === 0) return;
    const ports = [...this.#stirred].sort((a, b) => compareBytes(untracked(() => a.row.name), untracked(() => b.row.name)));
    this.#stirred.clear();
    untracked(() => this.#assign(ports));
    this.#former.clear();
  }

  #assign(ports: readonly SwitchPort[]): void {
    const asking: Asker[] = [];
    for (const port of ports) {
      const asker = this.#askers.get(port);
      if (asker !== undefined) asking.push(asker);
      else this.#texts.clear(port.row._uuid);
    }
    // First what can stay as it is, so that nobody else is given it.
    const before = new Map(asking.map((asker) => [asker, this.#take(asker.port, asker.usage) ?? this.#former.get(asker.port) ?? assignmentOf(asker.port)]));
    const changed = asking.filter((asker) => !this.#keep(asker, before.get(asker)));
    const staying = new Map(changed.map((asker) => [asker, this.#reserve(asker, before.get(asker))]));
    for (const asker of changed) this.#assignNew(asker, before.get(asker), staying.get(asker) ?? {});
  }

  /** Of a port that gets something new, what stays: a MAC does even if somebody else has taken it since. */
  #reserve({ port, plan, usage, asks }: Asker, before: Assignment | undefined): Staying {
    if (before === undefined) return {};
    const asked = parseAsked(asks);
    const keepsMac = asked.mac === undefined && hasPrefix(before.mac, macPrefix(port.topology));
    const { ipv4 } = before;
    const keepsIpv4 = ipv4 !== undefined && plan.ipv4 !== undefined && (asked.ipv4 === undefined || asked.ipv4 === ipv4) && isFree(ipv4, plan.ipv4, usage);
    if (keepsMac) increment(this.#macs, before.mac);
    if (keepsIpv4) usage.given.set(ipv4, port);
    return { ...(keepsMac ? { mac: before.mac } : {}), ...(keepsIpv4 ? { ipv4 } : {}) };
  }

  /** Gives the port what it had, if that is what it would be given today. */
  #keep({ port, plan, usage, asks }: Asker, before: Assignment | undefined): boolean {
    if (before === undefined) return false;
    const asked = parseAsked(asks);
    if (asked.mac !== undefined ? asked.mac !== before.mac : !hasPrefix(before.mac, macPrefix(port.topology))) return false;
    if ((plan.ipv4 === undefined) !== (before.ipv4 === undefined)) return false;
    if (plan.ipv4 !== undefined && before.ipv4 !== undefined) {
      if (!isFree(before.ipv4, plan.ipv4, usage)) return false;
      if (asked.ipv4 !== undefined && asked.ipv4 !== before.ipv4 && isFree(asked.ipv4, plan.ipv4, usage)) return false;
    }
    if (this.#ipv6(plan.ipv6Prefix, asked, before.mac) !== before.ipv6) return false;
    this.#give(port, usage, before);
    return true;
  }

  #assignNew({ port, owner, usage, plan, asks }: Asker, before: Assignment | undefined, staying: Staying): void {
    const asked = parseAsked(asks);
    const { name } = port.row;
    const ipv4 = staying.ipv4 ?? this.#chooseIpv4(owner, plan.ipv4, usage, asked, name);
    const mac = asked.mac ?? staying.mac ?? this.#unusedMac(macPrefix(port.topology), asked.ipv4 ?? ipv4 ?? 0);
    if (staying.mac !== undefined) decrement(this.#macs, staying.mac);
    else if (asked.mac === undefined) this.#log.info(`Assigned dynamic MAC address '${formatMac(mac)}' to port '${name}'`);
    const ipv6 = this.#ipv6(plan.ipv6Prefix, asked, mac);
    if (ipv6 !== undefined && ipv6 !== before?.ipv6) this.#log.info(`Assigned dynamic IPv6 address '${formatIpv6(ipv6)}' to port '${name}'`);
    this.#give(port, usage, { mac, ipv4, ipv6 });
  }

  #chooseIpv4(owner: LogicalSwitch, subnet: Subnet | undefined, usage: Usage, asked: Asked, name: string): Ipv4 | undefined {
    if (subnet === undefined) return undefined;
    if (asked.ipv4 !== undefined && isFree(asked.ipv4, subnet, usage)) return asked.ipv4;
    for (let ip = subnet.start + 1; ip < subnet.start + subnet.size - 1; ip++) {
      const chosen = ip as Ipv4;
      if (!isFree(chosen, subnet, usage)) continue;
      this.#log.info(`Assigned dynamic IPv4 address '${formatIpv4(chosen)}' to port '${name}'`);
      return chosen;
    }
    this.#log.warn(`${owner.row._uuid}: Subnet address space has been exhausted.`);
    return undefined;
  }

  #ipv6(prefix: Ipv6 | undefined, asked: Asked, mac: Mac): Ipv6 | undefined {
    if (prefix === undefined) return undefined;
    return asked.ipv6 !== undefined && asked.mac === undefined && (asked.ipv6 & ipv6Mask(64)) === prefix ? asked.ipv6 : eui64(prefix, mac);
  }

  /** The first free one from the last three bytes of the IPv4 address on. */
  #unusedMac(prefix: string, ip: number): Mac {
    const high = (parseMac(`${prefix}:00:00:00`) ?? 0) as number;
    const space = 0xfffffe;
    for (let i = 0; i < space; i++) {
      const mac = (high + (((ip & 0xffffff) + i) % space) + 1) as Mac;
      if (!this.#macs.has(mac)) return mac;
    }
    this.#log.warn("MAC address space exhausted.");
    return high as Mac;
  }

  #give(port: SwitchPort, usage: Usage, assignment: Assignment): void {
    this.#assignments.set(port, assignment);
    increment(this.#macs, assignment.mac);
    if (assignment.ipv4 !== undefined) usage.given.set(assignment.ipv4, port);
    this.#texts.set(port.row._uuid, textOf(assignment));
  }

  #take(port: SwitchPort, usage: Usage): Assignment | undefined {
    const assignment = this.#assignments.get(port);
    if (assignment === undefined) return undefined;
    this.#assignments.delete(port);
    decrement(this.#macs, assignment.mac);
    if (assignment.ipv4 !== undefined && usage.given.get(assignment.ipv4) === port) usage.given.delete(assignment.ipv4);
    return assignment;
  }

  #usage(owner: LogicalSwitch): Usage {
    let usage = this.#usages.get(owner);
    if (usage === undefined) {
      usage = { fixed: new Map(), given: new Map(), asking: 0 };
      this.#usages.set(owner, usage);
    }
    return usage;
  }
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function decrement<K>(counts: Map<K, number>, key: K): void {
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}

const hasPrefix = (mac: Mac, prefix: string): boolean => formatMac(mac).startsWith(prefix);

function isFree(ip: Ipv4, { start, size, excluded }: Subnet, { fixed, given }: Usage): boolean {
  // The first address is the router's, the last the broadcast address.
  if (ip <= start || ip >= start + size - 1) return false;
  if (fixed.has(ip) || given.has(ip)) return false;
  return !excluded.some(([first, last]) => ip >= first && ip <= last);
}

function assignmentOf({ row }: SwitchPort): Assignment | undefined {
  const parsed = row.dynamic_addresses === undefined ? undefined : parseMacAndIps(row.dynamic_addresses)?.addresses;
  return parsed === undefined ? undefined : { mac: parsed.mac, ipv4: parsed.ipv4[0]?.address, ipv6: parsed.ipv6[0]?.address };
}

const textOf = ({ mac, ipv4, ipv6 }: Assignment): string =>
  [formatMac(mac), ...(ipv4 === undefined ? [] : [formatIpv4(ipv4)]), ...(ipv6 === undefined ? [] : [formatIpv6(ipv6)])].join(" ");
