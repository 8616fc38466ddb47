/** A bridge as the walk through its tables sees it: ports, tables, groups, meters, options. Who writes to it lives elsewhere. */
import type { Mac } from "../net/index.ts";
import { ports as reserved, type TlvMapping } from "../openflow/index.ts";
import type { FlowGroup } from "./flow/flow-group.ts";
import type { FlowMeter } from "./flow/flow-meter.ts";
import type { FlowRule } from "./flow/flow-rule.ts";
import { LearnedFlows } from "./flow/learned-flows.ts";
import { FlowTable, tableCount } from "./flow/flow-table.ts";
import { MacTable } from "./walk/mac-table.ts";
import type { PortMirror } from "./port/port-mirror.ts";
import { MatchShapes } from "./flow/minimask.ts";
import type { SwitchPort } from "./port/switch-port.ts";

export class Bridge {
  readonly name: string;
  /** The row's UUID: the bridge's identity while it lives. */
  readonly uuid: string;
  mac: Mac;
  datapathId: bigint;
  failMode: "secure" | "standalone" = "standalone";
  /** Whether it has controllers; undefined until that was said for the first time. */
  isControlled: boolean | undefined;
  readonly tables: readonly FlowTable[] = Array.from({ length: tableCount }, (_, i) => new FlowTable(i));
  readonly groups = new Map<number, FlowGroup>();
  readonly meters = new Map<number, FlowMeter>();
  readonly macs = new MacTable();
  mirrors: readonly PortMirror[] = [];
  readonly portsByName = new Map<string, SwitchPort>();
  readonly portsByNumber = new Map<number, SwitchPort>();
  /** Geneve options that tun_metadata fields stand for, by field number. */
  readonly tlvs = new Map<number, TlvMapping>();
  /** Goes up with every change that a walk may depend on; a cache entry from before must be looked at again. */
  generation = 0;
  /** How many flows the tables hold. */
  flowCount = 0;
  /** Flows that end by themselves. */
  readonly timedRules = new Set<FlowRule>();
  /** Flows by the groups that they name. */
  readonly rulesOfGroup = new Map<number, Set<FlowRule>>();

  readonly learned = new LearnedFlows();

  readonly shapes = new MatchShapes();

  constructor(name: string, uuid: string, mac: Mac, datapathId: bigint) {
    this.name = name;
    this.uuid = uuid;
    this.mac = mac;
    this.datapathId = datapathId;
  }

  get localPort(): SwitchPort | undefined {
    return this.portsByNumber.get(reserved.local);
  }

  addPort(port: SwitchPort): void {
    this.portsByName.set(port.name, port);
    this.portsByNumber.set(port.number, port);
    this.generation++;
  }

  removePort(port: SwitchPort): void {
    this.portsByName.delete(port.name);
    if (this.portsByNumber.get(port.number) === port) this.portsByNumber.delete(port.number);
    this.macs.forget(port);
    this.generation++;
  }

  addRule(rule: FlowRule): void {
    this.tables[rule.table]?.add(rule);
    this.flowCount++;
    this.generation++;
    this.#note(rule);
  }

  /** After a rule that is in its table has got another program or other timeouts. */
  ruleChanged(rule: FlowRule, before: Pick<FlowRule, "groups" | "lessons">): void {
    this.#forget(rule, before);
    this.#note(rule);
    this.generation++;
  }

  removeRule(rule: FlowRule): void {
    this.tables[rule.table]?.remove(rule);
    this.flowCount--;
    this.generation++;
    this.#forget(rule, rule);
  }

  #note(rule: FlowRule): void {
    if (rule.idleTimeout > 0 || rule.hardTimeout > 0) this.timedRules.add(rule);
    for (const group of rule.groups) {
      const rules = this.rulesOfGroup.get(group) ?? new Set();
      this.rulesOfGroup.set(group, rules.add(rule));
    }
    this.learned.taught(rule.lessons);
  }

  #forget(rule: FlowRule, { groups, lessons }: Pick<FlowRule, "groups" | "lessons">): void {
    this.timedRules.delete(rule);
    this.learned.untaught(lessons);
    for (const group of groups) {
      const rules = this.rulesOfGroup.get(group);
      rules?.delete(rule);
      if (rules?.size === 0) this.rulesOfGroup.delete(group);
    }
  }
}
