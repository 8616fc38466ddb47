/**
 * JSON-RPC 1.0 sessions over a stream (RFC 7047, section 4): what the database server, the replicas and unixctl all speak.
 *
 * A session validates what comes in and prints what goes out. Output made in one turn leaves in one write. Whoever
 * produces unbounded output watches `backlogSize`; whoever wants probes watches `receivedSize`.
 */
import type { Log, Stream } from "../../host/index.ts";
import { type Json, isJsonArray, isJsonObject, printJson } from "./json.ts";
import { JsonFramer } from "./json-framing.ts";

export type JsonRpcMessage =
  | { readonly kind: "request"; readonly method: string; readonly params: readonly Json[]; readonly id: Json }
  | { readonly kind: "notification"; readonly method: string; readonly params: readonly Json[] }
  | { readonly kind: "reply"; readonly result: Json; readonly id: Json }
  | { readonly kind: "error"; readonly error: Json; readonly id: Json };

export interface JsonRpcEvents {
  message(message: JsonRpcMessage): void;
  /** Exactly once, last. A peer that speaks no JSON-RPC ends the session with an Error whose code is EPROTO. */
  closed(error: NodeJS.ErrnoException | undefined): void;
  /** Everything written has left this process. */
  drained?(): void;
}

/** The message, or what is wrong with it. Members that are null count as absent, so an empty result is `{}`, not null. */
export function parseJsonRpc(json: Json): JsonRpcMessage | string {
  if (!isJsonObject(json)) return "message is not a JSON object";
  for (const name of Object.keys(json)) {
    if (!["method", "params", "result", "error", "id"].includes(name)) return `message has unexpected member "${name}"`;
  }
  const { method, params = null, result = null, error = null, id = null } = json;
  if (method !== undefined && typeof method !== "string") return "method is not a JSON string";
  if (params !== null && !isJsonArray(params)) return '"params" must be JSON array';
  const kind = result !== null ? "reply" : error !== null ? "error" : id !== null ? "request" : "notification";
  const calls = kind === "request" || kind === "notification";
  const wrong = (name: string, is: boolean, must: boolean): string | undefined =>
    is === must ? undefined : `${kind} must${must ? "" : " not"} have "${name}"`;
  const complaint =
    wrong("method", method !== undefined, calls) ?? wrong("params", params !== null, calls) ??
    wrong("error", error !== null, kind === "error") ?? wrong("id", id !== null, kind !== "notification");
  if (complaint !== undefined) return complaint;
  if (kind === "reply") return { kind, result, id };
  if (kind === "error") return { kind, error, id };
  if (method === undefined || params === null) return `${kind} must have "method"`;
  return kind === "request" ? { kind, method, params, id } : { kind, method, params };
}

export function printJsonRpc(message: JsonRpcMessage): string {
  switch (message.kind) {
    case "request":
      return printJson({ id: message.id, method: message.method, params: message.params });
    case "notification":
      return printJson({ id: null, method: message.method, params: message.params });
    case "reply":
      return printJson({ id: message.id, result: message.result, error: null });
    case "error":
      return printJson({ id: message.id, result: null, error: message.error });
  }
}

function describe(message: JsonRpcMessage): string {
  const parts = [
    "method" in message ? `, method=${printJson(message.method)}` : "",
    "params" in message ? `, params=${printJson(message.params)}` : "",
    "result" in message ? `, result=${printJson(message.result)}` : "",
    "error" in message ? `, error=${printJson(message.error)}` : "",
    "id" in message ? `, id=${printJson(message.id)}` : "",
  ];
  return message.kind + parts.join("");
}

export interface JsonRpcOptions {
  /** Of one message that comes in, in bytes. */
  readonly maxMessageSize?: number;
}

/** Output is joined into one write up to this many characters. */
const largestWrite = 1024 * 1024;

export class JsonRpcSession {
  readonly #stream: Stream;
  readonly #log: Log;
  readonly #framer: JsonFramer;
  #events: JsonRpcEvents | undefined;
  #output: string[] = [];
  #outputSize = 0;
  #closed = false;
  #error: NodeJS.ErrnoException | undefined;
  /** Bytes that came in since the start: grows whenever the peer shows life. */
  receivedSize = 0;

  constructor(stream: Stream, log: Log, options: JsonRpcOptions = {}) {
    this.#stream = stream;
    this.#log = log.module("jsonrpc");
    this.#framer = new JsonFramer(options.maxMessageSize);
  }

  get name(): string {
    return this.#stream.name;
  }

  /** What has been sent but not yet left this process, in bytes (about: characters not yet encoded count as one). */
  get backlogSize(): number {
    return this.#stream.pendingSize + this.#outputSize;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  attach(events: JsonRpcEvents): void {
    this.#events = events;
    this.#stream.attach({
      data: (bytes) => this.#receive(bytes),
      closed: (error) => {
        this.#closed = true;
        events.closed(this.#error ?? error);
      },
      drained: () => events.drained?.(),
    });
  }

  send(message: JsonRpcMessage): void {
    this.#log.dbg(() => `${this.name}: send ${describe(message)}`);
    this.#put(printJsonRpc(message));
  }

  /** Sends a notification of which the params, an array, have been printed already: one text may go to many sessions. */
  sendNotificationText(method: string, params: string): void {
    this.#log.dbg(() => `${this.name}: send notification, method=${JSON.stringify(method)}, params=${params}`);
    this.#put(`{"id":null,"method":${JSON.stringify(method)},"params":${params}}`);
  }

  /** Sends a reply of which the result has been printed already: in pieces where it may be longer than a string can be. */
  sendReplyText(id: Json, ...result: readonly string[]): void {
    this.#log.dbg(() => `${this.name}: send reply, result=${result.join("")}, id=${printJson(id)}`);
    if (result.length === 1) this.#put(`{"id":${printJson(id)},"result":${result[0]},"error":null}`);
    else {
      this.#put(`{"id":${printJson(id)},"result":`);
      for (const piece of result) this.#put(piece);
      this.#put(',"error":null}');
    }
  }

  pause(paused: boolean): void {
    this.#stream.pause(paused);
  }

  /** What was sent still leaves, if the stream can. */
  close(): void {
    this.#flush();
    this.#closed = true;
    this.#stream.close();
  }

  #put(text: string): void {
    if (this.#closed) return;
    this.#outputSize += text.length;
    if (this.#output.push(text) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#output.length === 0 || this.#closed) return;
    const output = this.#outputSize < largestWrite ? [this.#output.join("")] : this.#output;
    this.#output = [];
    this.#outputSize = 0;
    for (const text of output) this.#stream.write(Buffer.from(text, "utf8"));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.receivedSize += bytes.length;
    const fault = this.#framer.feed(bytes, (json) => {
      if (this.#closed) return;
      const message = parseJsonRpc(json);
      if (typeof message === "string") {
        this.#fail(`received bad JSON-RPC message: ${message}`);
        return;
      }
      this.#log.dbg(() => `${this.name}: received ${describe(message)}`);
      this.#events?.message(message);
    });
    if (fault !== undefined) this.#fail(`error parsing stream: ${fault.message}`);
  }

  #fail(text: string): void {
    if (this.#closed) return;
    this.#log.warn(`${this.name}: ${text}`);
    this.#error = Object.assign(new Error(text), { code: "EPROTO" });
    this.close();
  }
}
