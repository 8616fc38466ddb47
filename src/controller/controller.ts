/**
 * Starts and stops the controller of one chassis, and says what happens when: first the Open_vSwitch database and the
 * integration bridge, then, as soon as external_ids:ovn-remote names it, the southbound database and everything else.
 */
import { Coverage, type Daemon, ovnInternalVersion, type UnixctlCommand } from "../daemon/index.ts";
import { type Collection, Engine } from "../engine/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { openReplica } from "../ovsdb/index.ts";
import { openVSwitch } from "../schemas/index.ts";
import { bridgeUpkeep, type Ground } from "./bridge.ts";
import { chassisIndex, releaseChassisIndex } from "./chassis-index.ts";
import { commandsOf } from "./commands.ts";
import { ChassisSession } from "./chassis-session.ts";
import { flowTablePrefixes } from "./flow-table-prefixes.ts";
import { dnsCounters } from "./packet-in/dns.ts";
import { OpenVswitchRepair, RepairCrew } from "./repairs.ts";
import type { OpenVswitchReplica, OpenVswitchTransaction } from "./rows.ts";
import { booleanSetting, intSetting, setting } from "./settings.ts";

export interface ControllerOptions {
  /** The Open_vSwitch database: `unix:/run/openvswitch/db.sock`. */
  readonly database: string;
  /** Where the switch has its sockets: `RUNDIR/br-int.mgmt`. */
  readonly ovsRunFolder: string;
  /** -n, or the file system-id-override; undefined: external_ids:system-id. */
  readonly systemId?: string | undefined;
  /** What Chassis.hostname says unless external_ids:hostname does. */
  readonly hostname: string;
  /** The command `exit` asks for the end; the lab or the program ends the daemon then. */
  exit?(): void;
}

export interface Controller extends Daemon {}

export const startController = (host: Host, options: ControllerOptions): Controller => new RunningController(host, options);

/** The tables of Open_vSwitch that matter here, without what changes with every packet. */
const monitored = {
  Open_vSwitch: { columns: ["bridges", "datapaths", "external_ids", "iface_types", "other_config"] },
  Bridge: { columns: ["name", "ports", "datapath_id", "datapath_type", "fail_mode", "external_ids", "other_config", "mirrors", "flow_tables"] },
  Port: { columns: ["name", "interfaces", "external_ids", "qos"] },
  Mirror: { columns: ["name", "select_src_port", "select_dst_port", "output_port", "external_ids"] },
  QoS: true,
  Queue: true,
  Flow_Table: { columns: ["name", "prefixes"] },
  CT_Zone: { columns: ["limit"] },
  Interface: { columns: ["name", "type", "ofport", "options", "external_ids", "other_config", "mtu", "link_state", "error", "bfd", "bfd_status", "status"] },
  Flow_Sample_Collector_Set: true,
  Datapath: { columns: ["external_ids", "ct_zones", "capabilities"] },
} as const;

class RunningController implements Controller {
  readonly ready: Promise<void> = Promise.resolve();
  readonly commands: readonly UnixctlCommand[];
  readonly #host: Host;
  readonly #options: ControllerOptions;
  readonly #ovs: OpenVswitchReplica;
  readonly #engine = new Engine();
  readonly #coverage: Coverage;
  readonly #crew: RepairCrew<OpenVswitchTransaction>;
  readonly #ground: Ground;
  #session: ChassisSession | undefined;
  #isPrepared = false;
  #isStopped = false;
  #flushTimer: Timer | undefined;

  constructor(host: Host, options: ControllerOptions) {
    this.#host = host;
    this.#options = options;
    host.log.module("main").info(`OVN internal version is : [${ovnInternalVersion}]`);
    this.#ovs = openReplica(host, openVSwitch, options.database, { monitor: monitored, minBackoffMs: 100, changed: () => this.#ovsChanged() });
    this.#crew = new RepairCrew(host.clock, host.log.module("main"), () => this.#begin());
    const ground: Ground = {
      host, ovs: this.#ovs, fixedSystemId: options.systemId, startedAt: Math.floor(host.clock.wall()), self: itself(() => ground),
    };
    this.#ground = ground;
    this.#coverage = new Coverage(host.clock, ["poll_zero_timeout", ...dnsCounters]);
    const commands = commandsOf({ session: () => this.#session, exit: (restarts) => this.#exit(restarts) });
    this.commands = [...commands, ...this.#coverage.commands()];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#flushTimer?.cancel();
    this.#crew.stop();
    this.#session?.close();
    this.#ovs.close();
  }

  #begin(): OpenVswitchTransaction | undefined {
    return this.#ovs.status.isConnected && this.#ovs.status.isSynced ? this.#ovs.transaction() : undefined;
  }

  #ovsChanged(): void {
    if (this.#isStopped || !this.#ovs.status.isSynced) return;
    if (!this.#isPrepared) {
      this.#isPrepared = true;
      this.#engine.install(this.#ground, [bridgeUpkeep, flowTablePrefixes, chassisIndex]);
      this.#engine.sink(OpenVswitchRepair, this.#crew);
    }
    this.#engine.flush();
    this.#followRemote();
    this.#session?.ovsChanged();
  }

  /** The southbound database is where the settings say; what was worked out from another one is kept until that one answers. */
  #followRemote(): void {
    const remote = setting(this.#ground, "ovn-remote");
    if (remote === undefined || remote === "") return;
    const probeIntervalMs = intSetting(this.#ground, "ovn-remote-probe-interval") ?? -1;
    try {
      this.#session ??= new ChassisSession(this.#host, this.#ovs, remote, {
        systemId: this.#options.systemId, hostname: this.#options.hostname, runFolder: this.#options.ovsRunFolder, coverage: this.#coverage,
      });
      this.#session.setRemote(remote, probeIntervalMs < 0 ? undefined : probeIntervalMs);
    } catch (error) {
      this.#host.log.module("main").warn(error instanceof Error ? error.message : String(error));
    }
  }

  async #exit(isRestart: boolean): Promise<void> {
    const restarts = isRestart || !booleanSetting(this.#ground, "ovn-cleanup-on-exit", true);
    this.#host.log.module("main").info(`Exiting ovn-controller, resource cleanup: ${restarts ? "False (--restart)" : "True"}`);
    if (!restarts) {
      this.#crew.stop();
      await this.#session?.withdraw();
      await releaseChassisIndex(this.#ground);
    }
    this.#options.exit?.();
  }
}

/** A collection of one item that never goes; `item` is asked when it is there. */
const itself = <T>(item: () => T): Collection<T> => ({
  name: "ground",
  size: 1,
  *[Symbol.iterator]() {
    yield item();
  },
  watch: (watcher) => {
    watcher.added(item());
    return () => {};
  },
});
