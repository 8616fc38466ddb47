/** As little of an OVSDB client as the oracle needs: raw requests over a unix socket, one after the other. */
import { connect, type Socket } from "node:net";
import { parseJson } from "../../src/ovsdb/index.ts";
import type { Dump, Row } from "./normalize.ts";
import type { JsonValue } from "./columns.ts";
import type { Insert } from "./network.ts";

export class DatabaseClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #buffer = "";
  #next = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#received(text));
    socket.on("error", () => undefined);
  }

  static open(path: string): Promise<DatabaseClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new DatabaseClient(socket)));
      socket.once("error", reject);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  request(method: string, params: readonly JsonValue[]): Promise<unknown> {
    const id = this.#next++;
    this.#socket.write(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => void this.#waiting.set(id, resolve));
  }

  /** Throws on any error. */
  async transact(database: string, operations: readonly JsonValue[]): Promise<readonly { readonly rows?: readonly Row[] }[]> {
    const results = (await this.request("transact", [database, ...operations])) as readonly ({ readonly error?: string; readonly rows?: readonly Row[] } | null)[];
    const failed = results.find((r) => r !== null && r.error !== undefined);
    if (failed !== undefined && failed !== null) throw new Error(JSON.stringify(failed));
    return results.map((r) => r ?? {});
  }

  insert(database: string, rows: readonly Insert[]): Promise<unknown> {
    return this.transact(database, rows.map(({ table, uuid, row }) => ({ op: "insert", table, uuid, row })));
  }

  async dump(database: string, tables: readonly string[]): Promise<Dump> {
    const results = await this.transact(database, tables.map((table) => ({ op: "select", table, where: [] })));
    return Object.fromEntries(tables.map((table, i) => [table, results[i]?.rows ?? []]));
  }

  /** Adds one to NB_Global.nb_cfg and waits until sb_cfg has followed. */
  async sync(timeoutMs = 10_000): Promise<void> {
    await this.transact("OVN_Northbound", [{ op: "mutate", table: "NB_Global", where: [], mutations: [["nb_cfg", "+=", 1]] }]);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const [result] = await this.transact("OVN_Northbound", [{ op: "select", table: "NB_Global", where: [] }]);
      const row = result?.rows?.[0];
      if (row !== undefined && row["nb_cfg"] === row["sb_cfg"]) return;
      if (Date.now() > deadline) throw new Error("sb_cfg does not follow nb_cfg");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #received(text: string): void {
    this.#buffer += text;
    for (;;) {
      const end = endOfValue(this.#buffer);
      if (end === undefined) return;
      const message = parseJson(this.#buffer.slice(0, end)) as unknown as { readonly id: number; readonly result: unknown; readonly method?: string };
      this.#buffer = this.#buffer.slice(end);
      if (message.method === "echo") this.#socket.write(JSON.stringify({ id: message.id, result: [], error: null }));
      else {
        this.#waiting.get(message.id)?.(message.result);
        this.#waiting.delete(message.id);
      }
    }
  }
}

/** Where the first JSON object of `text` ends. */
function endOfValue(text: string): number | undefined {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") depth++;
    else if ((c === "}" || c === "]") && --depth === 0) return i + 1;
  }
  return undefined;
}
