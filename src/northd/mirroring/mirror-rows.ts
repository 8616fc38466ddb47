/** Mirror, and Port_Binding of the ports that stand for those that get the copies. */
import { rule } from "../../engine/index.ts";
import { entries, type Uuid, wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { bindingKey, bindingOf, PortKeyRequest, requestedEncap, WishedPort } from "../sync/port-bindings.ts";
import { maxPortKey } from "../topology/settings.ts";
import { switchOf } from "../topology/port-membership.ts";
import type { Topology } from "../topology/topology.ts";
import { mirrorPortName, portMirrorsOf } from "./attached-mirrors.ts";

export const WishedMirror = wishRelation(southbound, "Mirror");

export const mirrors = rule("mirrors", (t: Topology) => t.nb.Mirror, function* (_, { _uuid: uuid, name, filter, sink, type, index }) {
  yield WishedMirror({ key: uuid, columns: { name, filter, sink, type, index }, uuid: uuid as string as Uuid<"Mirror"> });
});

export const mirrorPorts = rule("mirror-ports", (t: Topology) => t.switchPorts, function* (t, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  for (const mirror of portMirrorsOf(port)) {
    const name = mirrorPortName(owner, mirror);
    yield PortKeyRequest({ scope: owner.row._uuid, key: name, requested: 0, max: maxPortKey(t) });
    const tunnelKey = t.portKeys.get(name);
    if (tunnelKey === undefined) continue;
    const isUnset = t.bindingsByName.first(name)?.up === undefined;
    yield WishedPort({
      key: bindingKey(owner.row._uuid, name, "mirror", undefined),
      columns: {
        logical_port: name, datapath: wished("Datapath_Binding", owner.row._uuid), tunnel_key: tunnelKey, type: "mirror", mirror_port: mirror.sink,
        ...requestedEncap(port, undefined, bindingOf(t, owner, name)), options: entries({ "requested-encap-ip": port.row.options.get("requested-encap-ip") || undefined }),
        ...(isUnset ? { up: false } : {}),
      },
    });
  }
});
