/** Node's UDP sockets. */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { DatagramSocket, Datagrams } from "../datagram.ts";

export const nodeDatagrams: Datagrams = {
  bind(address: string, port: number): Promise<DatagramSocket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", recvBufferSize: 4 << 20 });
      let dropped = 0;
      socket.once("error", reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off("error", reject);
        socket.on("error", () => dropped++);
        const bound = socket.address();
        resolve({
          address,
          port: bound.port,
          get dropped() {
            return dropped;
          },
          attach: (receive) => socket.on("message", (bytes, from) => receive(bytes, from.address, from.port)),
          send: (bytes, to, toPort) =>
            socket.send(bytes, toPort, to, (error) => {
              if (error !== null) dropped++;
            }),
          close: () => socket.close(),
        });
      });
    });
  },
};
