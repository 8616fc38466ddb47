/**
 * A host whose underlay addresses live elsewhere: the rootless lab carries 192.168.50.102 over 127.50.0.102.
 * Everything above sees only the deployment's own addresses; sockets see only what they are mapped to.
 */
import type { DatagramSocket, Datagrams } from "./datagram.ts";
import type { Host } from "./host.ts";
import type { ActiveTarget, PassiveTarget, Streams } from "./stream.ts";

/**
 * Underlay address to the address that carries it; addresses not listed carry themselves. "0.0.0.0" stands for "every
 * address of this machine": what listens there listens on the carrier of the one address that is this node's.
 */
export type AddressMap = ReadonlyMap<string, string>;

/** `A=B,A=B` (the environment variable ISTHMUS_UNDERLAY); undefined if it is malformed. */
export function parseAddressMap(text: string): AddressMap | undefined {
  const map = new Map<string, string>();
  for (const item of text.split(",").filter((i) => i !== "")) {
    const [underlay, carrier, ...rest] = item.split("=");
    if (underlay === undefined || carrier === undefined || carrier === "" || rest.length > 0) return undefined;
    map.set(underlay, carrier);
  }
  return map;
}

export const formatAddressMap = (map: AddressMap): string => [...map].map(([a, b]) => `${a}=${b}`).join(",");

export function mappedHost(host: Host, map: AddressMap): Host {
  return { ...host, streams: mappedStreams(host.streams, map), datagrams: mappedDatagrams(host.datagrams, map) };
}

function mappedStreams(streams: Streams, map: AddressMap): Streams {
  const active = (t: ActiveTarget): ActiveTarget => (t.kind === "unix" ? t : { ...t, host: map.get(t.host) ?? t.host });
  const passive = (t: PassiveTarget): PassiveTarget =>
    t.kind === "punix" ? t : { ...t, host: map.get(t.host ?? "0.0.0.0") ?? t.host };
  return {
    connect: (target) => streams.connect(active(target)),
    listen: (target, accept) => streams.listen(passive(target), accept),
  };
}

function mappedDatagrams(datagrams: Datagrams, map: AddressMap): Datagrams {
  const back = new Map([...map].filter(([underlay]) => underlay !== "0.0.0.0").map(([underlay, carrier]) => [carrier, underlay]));
  return {
    async bind(address, port): Promise<DatagramSocket> {
      const socket = await datagrams.bind(map.get(address) ?? address, port);
      return {
        address,
        get port() {
          return socket.port;
        },
        get dropped() {
          return socket.dropped;
        },
        attach: (receive) => socket.attach((bytes, from, fromPort) => receive(bytes, back.get(from) ?? from, fromPort)),
        send: (bytes, to, toPort) => socket.send(bytes, map.get(to) ?? to, toPort),
        close: () => socket.close(),
      };
    },
  };
}
