/**
 * Byte streams: unix sockets, TCP connections, and pairs in memory, which carry the same bytes.
 *
 * Targets are written as OVS writes them (ovsdb(7), "Connection Methods"):
 *
 *     active    unix:FILE   tcp:HOST:PORT   ssl:HOST:PORT
 *     passive   punix:FILE  ptcp:PORT[:HOST]  pssl:PORT[:HOST]
 */
export type ActiveTarget =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "ssl"; readonly host: string; readonly port: number };

export type PassiveTarget =
  | { readonly kind: "punix"; readonly path: string }
  | { readonly kind: "ptcp"; readonly host: string | undefined; readonly port: number }
  | { readonly kind: "pssl"; readonly host: string | undefined; readonly port: number };

/** What a stream tells its owner. `closed` comes exactly once, last. */
export interface StreamEvents {
  data(bytes: Uint8Array): void;
  /** The other side or the network ended it; `error` is absent after an orderly end. */
  closed(error: NodeJS.ErrnoException | undefined): void;
  /** `pendingSize` has fallen to zero again. */
  drained?(): void;
}

export interface Stream {
  /** For logs: `unix:/run/ovn/ovnsb_db.sock`, `tcp:127.0.0.1:43210`. */
  readonly name: string;
  /** Bytes written that have not left this process; writers of unbounded output must watch it. */
  readonly pendingSize: number;
  /** Says who is to be told. Bytes that came before are kept until then. */
  attach(events: StreamEvents): void;
  write(bytes: Uint8Array): void;
  /** Stops reading (true) or goes on (false): back-pressure towards the sender. */
  pause(paused: boolean): void;
  /** Ends it at once; `closed` follows, without an error. */
  close(): void;
}

export interface Listener {
  /** `punix:/run/x.sock`, `ptcp:6641:0.0.0.0`, with the port that was really given. */
  readonly name: string;
  readonly port: number | undefined;
  close(): void;
}

export interface Streams {
  /** Rejects with an Error whose `code` is the system's (ENOENT, ECONNREFUSED, ETIMEDOUT ...). */
  connect(target: ActiveTarget): Promise<Stream>;
  listen(target: PassiveTarget, accept: (stream: Stream) => void): Promise<Listener>;
}

/** `unix:`, `tcp:` or `ssl:` target; undefined if `text` is none (the caller says what would be right). */
export function parseActiveTarget(text: string): ActiveTarget | undefined {
  const [kind, rest] = splitOnce(text);
  if (kind === "unix") return rest === "" ? undefined : { kind, path: rest };
  if (kind !== "tcp" && kind !== "ssl") return undefined;
  const match = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(rest);
  if (match === null) return undefined;
  const port = Number(match[2]);
  return port > 65535 ? undefined : { kind, host: unbracket(match[1] ?? ""), port };
}

/** `punix:`, `ptcp:` or `pssl:` target; undefined if `text` is none. `defaultPort` stands for a missing or empty port. */
export function parsePassiveTarget(text: string, defaultPort = 6640): PassiveTarget | undefined {
  const [kind, rest] = splitOnce(text);
  if (kind === "punix") return rest === "" ? undefined : { kind, path: rest };
  if (kind !== "ptcp" && kind !== "pssl") return undefined;
  const match = /^(\d{0,5})(?::(\[[^\]]+\]|[^:]+))?$/.exec(rest);
  if (match === null) return undefined;
  const port = match[1] === "" ? defaultPort : Number(match[1]);
  return port > 65535 ? undefined : { kind, port, host: match[2] === undefined ? undefined : unbracket(match[2]) };
}

export function formatTarget(target: ActiveTarget | PassiveTarget): string {
  switch (target.kind) {
    case "unix":
    case "punix":
      return `${target.kind}:${target.path}`;
    case "tcp":
    case "ssl":
      return `${target.kind}:${bracket(target.host)}:${target.port}`;
    default:
      return `${target.kind}:${target.port}${target.host === undefined ? "" : `:${bracket(target.host)}`}`;
  }
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

const unbracket = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");
const bracket = (host: string): string => (host.includes(":") ? `[${host}]` : host);
