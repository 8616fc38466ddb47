/** UDP. Underlay addresses are given as the deployment knows them; a host may carry them elsewhere (see `mapped`). */
export interface DatagramSocket {
  /** The address and port it is bound to. */
  readonly address: string;
  readonly port: number;
  attach(receive: (bytes: Uint8Array, address: string, port: number) => void): void;
  /** Sends or drops, as UDP does; errors are counted in `dropped`. */
  send(bytes: Uint8Array, address: string, port: number): void;
  readonly dropped: number;
  close(): void;
}

export interface Datagrams {
  /** Rejects with the system's error code (EADDRINUSE, EADDRNOTAVAIL). Port 0: one that is free. */
  bind(address: string, port: number): Promise<DatagramSocket>;
}
