/**
 * Where programs keep their sockets, logs and databases: the run-time directories of OVS and OVN, each of which a variable
 * of the environment moves (ovs-appctl(8), ovn-ctl(8)).
 */
import type { Environment } from "../host/index.ts";
import type { Family } from "./versions.ts";

export interface Directories {
  /** Sockets and pid files of the program's own family. */
  readonly run: string;
  readonly ovsRun: string;
  readonly ovnRun: string;
  /** Logs go to OVS's folder for programs of both families. */
  readonly log: string;
  readonly ovsDatabases: string;
  readonly ovnDatabases: string;
  readonly ovsConfiguration: string;
  readonly ovnConfiguration: string;
  readonly ovsData: string;
  readonly ovnData: string;
}

export function directories(environment: Environment, family: Family): Directories {
  const pick = (name: string, fallback: string): string => {
    const value = environment.variable(name);
    return value === undefined || value === "" ? fallback : value;
  };
  const ovsRun = pick("OVS_RUNDIR", "/var/run/openvswitch");
  const ovnRun = pick("OVN_RUNDIR", "/var/run/ovn");
  return {
    run: family === "ovn" ? ovnRun : ovsRun,
    ovsRun,
    ovnRun,
    log: pick("OVS_LOGDIR", family === "ovn" ? pick("OVN_LOGDIR", "/var/log/ovn") : "/var/log/openvswitch"),
    ovsDatabases: pick("OVS_DBDIR", "/etc/openvswitch"),
    ovnDatabases: pick("OVN_DBDIR", "/var/lib/ovn"),
    ovsConfiguration: pick("OVS_SYSCONFDIR", "/etc/openvswitch"),
    ovnConfiguration: pick("OVN_SYSCONFDIR", "/etc/ovn"),
    ovsData: pick("OVS_PKGDATADIR", "/usr/share/openvswitch"),
    ovnData: pick("OVN_PKGDATADIR", "/usr/share/ovn"),
  };
}

/** `name` itself if it starts at the root, else inside `folder`: how C's programs read names of pid files and sockets. */
export const inFolder = (folder: string, name: string): string => (name.startsWith("/") ? name : `${folder}/${name}`);
