/**
 * UDP sockets on a simulated machine's network stack, as a switch or a controller on that node opens them: its tunnels' packets are
 * routed by the node's own routes, ask for their neighbors by ARP, and leave through whatever interface has the address.
 */
import type { DatagramSocket, Datagrams } from "../../host/index.ts";
import { formatIp, parseIp } from "../../net/index.ts";
import type { HostServices } from "../sim-host/index.ts";

const systemError = (code: string, text: string): Error => Object.assign(new Error(`${code}: ${text}`), { code });

export function nodeDatagrams(machine: HostServices): Datagrams {
  return {
    async bind(address, port): Promise<DatagramSocket> {
      const own = parseIp(address);
      const isAny = own?.address === 0 || own?.address === 0n;
      if (own === undefined || (!isAny && !machine.network.isOwn(own))) throw systemError("EADDRNOTAVAIL", `bind ${address}: no interface of ${machine.name} has it`);
      let receive: ((bytes: Uint8Array, address: string, port: number) => void) | undefined;
      const socket = machine.udp.open(port, ({ src, srcPort, payload }) => receive?.(payload, formatIp(src), srcPort), isAny ? undefined : own);
      if (socket === undefined) throw systemError("EADDRINUSE", `bind ${address}:${port}`);
      let dropped = 0;
      return {
        address,
        port: socket.port,
        get dropped() {
          return dropped;
        },
        attach(listener) {
          receive = listener;
        },
        send(bytes, to, toPort) {
          const peer = parseIp(to);
          // Tunnels do not want their packets cut, unless they do not fit: then a kernel that knows no better cuts them all the same.
          const send = (dontFragment: boolean) => (peer === undefined ? "unreachable" : socket.send(peer, toPort, bytes, { dontFragment }));
          let result = send(true);
          if (result === "too-big") result = send(false);
          if (result !== "sent") dropped++;
        },
        close: () => socket.close(),
      };
    },
  };
}
