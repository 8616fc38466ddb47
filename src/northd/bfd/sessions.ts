/**
 * BFD sessions of routers with what is behind their ports (RFC 5880; BFD of ovn-nb(5)): the chassis of the port runs the
 * session that a row of the southbound BFD describes, and writes there how it stands. A session that no static route and no
 * policy relies on is down by order ("admin_down"); one that has just been asked for is down until the chassis says otherwise.
 */
import { derived, type Index, rule } from "../../engine/index.ts";
import { type Uuid, wishRelation } from "../../ovsdb/index.ts";
import { northbound, southbound } from "../../schemas/index.ts";
import { keyRequests } from "../sync/key-allocator.ts";
import { bindingOf } from "../sync/port-bindings.ts";
import { perZone } from "../topology/per-zone.ts";
import { routerOf } from "../topology/router-ports.ts";
import type { NbRow, RouterPort, SbRow, Topology } from "../topology/topology.ts";
import { hasUser, users } from "./users.ts";

export const WishedBfd = wishRelation(southbound, "BFD");
export const BfdFeedback = wishRelation(northbound, "BFD", "feedback to BFD");
/** UDP ports that sessions send from, different ones for all of them (RFC 5881, section 4). */
export const SourcePortRequest = keyRequests("BFD source ports");
export const firstSourcePort = 49152;
const lastSourcePort = 65534;

type Session = NbRow<"BFD">;
export type SessionStatus = SbRow<"BFD">["status"];

const defaults = { interval: 1000, detectMult: 5 } as const;

export const sessionKey = ({ logical_port, dst_ip }: { readonly logical_port: string; readonly dst_ip: string }): string => `${logical_port} ${dst_ip}`;

interface SessionIndexes {
  readonly southbound: Index<string, SbRow<"BFD">>;
  readonly ofPort: Index<string, Session>;
}

const indexes = perZone((t: Topology): SessionIndexes => ({
  southbound: t.engine.index("BFD by session", t.sb.BFD, (row: SbRow<"BFD">) => [sessionKey(row)]),
  ofPort: t.engine.index("BFD by port", t.nb.BFD, (row: Session) => [row.logical_port]),
}));

/** How the chassis says that the session stands. */
const reportedStatus = derived("status of BFD", (t: Topology, key: string): SessionStatus => indexes(t).southbound.first(key)?.status ?? "admin_down");

/** Whether what relies on the session may be used: it is up, or coming up. */
export const isReachable = derived("BFD reaches", (t: Topology, key: string): boolean => {
  const status = reportedStatus(t, key);
  return status === "up" || status === "init";
});

/** Whether the router port takes part in a session. */
export const runsBfd = derived("runs BFD", (port: RouterPort): boolean => indexes(port.topology).ofPort.first(port.row.name) !== undefined);

export const sessions = rule("bfd-sessions", (t: Topology) => {
  indexes(t);
  users(t);
  return t.nb.BFD;
}, function* (t, row) {
  const key = sessionKey(row);
  const port = t.routerPortsByName.first(row.logical_port);
  const router = port === undefined ? undefined : routerOf(port);
  const binding = router === undefined ? undefined : bindingOf(t, router, row.logical_port);
  if (binding === undefined) return;
  yield SourcePortRequest({ scope: "", key, requested: 0, max: lastSourcePort });
  const reported = reportedStatus(t, key);
  const isUsed = hasUser(t, row._uuid);
  const status: SessionStatus = !isUsed ? "admin_down" : reported === "admin_down" ? "down" : reported;
  yield BfdFeedback({ key: row._uuid, columns: { status } });
  const sourcePort = t.bfdSourcePorts.get(key);
  if (sourcePort === undefined) return;
  const order = isUsed && reported !== "admin_down" ? {} : { status };
  yield WishedBfd({
    key,
    columns: {
      logical_port: row.logical_port, dst_ip: row.dst_ip, detect_mult: row.detect_mult ?? defaults.detectMult,
      min_tx: row.min_tx ?? defaults.interval, min_rx: row.min_rx ?? defaults.interval, ...order,
    },
    initial: () => ({ src_port: sourcePort, disc: 1 + t.random.next32(), status, chassis_name: chassisName(t, binding) }),
  });
});

const chassisName = (t: Topology, { chassis }: { readonly chassis: Uuid<"Chassis"> | undefined }): string => t.sb.Chassis.get(chassis)?.name ?? "";

export const existingSourcePort = (t: Topology, key: string): number | undefined => indexes(t).southbound.first(key)?.src_port;
