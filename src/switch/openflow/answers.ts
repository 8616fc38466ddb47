/** What the switch says in the database, gathered until it can be written: one transaction at a time. */
import type { Log } from "../../host/index.ts";
import type { ColumnsOf, Replica, Transaction, Uuid } from "../../ovsdb/index.ts";
import type { openVSwitch } from "../../schemas/index.ts";

type Schema = typeof openVSwitch;
type Answerable = "Open_vSwitch" | "Bridge" | "Interface" | "Datapath" | "Controller";

export class Answers {
  readonly #replica: Replica<Schema>;
  readonly #log: Log;
  readonly #openVSwitch = new Map<Uuid<"Open_vSwitch">, ColumnsOf<Schema, "Open_vSwitch">>();
  readonly #bridges = new Map<Uuid<"Bridge">, ColumnsOf<Schema, "Bridge">>();
  readonly #interfaces = new Map<Uuid<"Interface">, ColumnsOf<Schema, "Interface">>();
  readonly #datapaths = new Map<Uuid<"Datapath">, ColumnsOf<Schema, "Datapath">>();
  readonly #controllers = new Map<Uuid<"Controller">, ColumnsOf<Schema, "Controller">>();
  #isCommitting = false;

  readonly #lost: () => void;

  /** `lost`: what was gathered did not arrive, and is to be said anew. */
  constructor(replica: Replica<Schema>, log: Log, lost: () => void) {
    this.#replica = replica;
    this.#log = log;
    this.#lost = lost;
  }

  openVSwitch(uuid: Uuid<"Open_vSwitch">, columns: ColumnsOf<Schema, "Open_vSwitch">): void {
    this.#openVSwitch.set(uuid, { ...this.#openVSwitch.get(uuid), ...columns });
  }

  bridge(uuid: Uuid<"Bridge">, columns: ColumnsOf<Schema, "Bridge">): void {
    this.#bridges.set(uuid, { ...this.#bridges.get(uuid), ...columns });
  }

  interface(uuid: Uuid<"Interface">, columns: ColumnsOf<Schema, "Interface">): void {
    this.#interfaces.set(uuid, { ...this.#interfaces.get(uuid), ...columns });
  }

  datapath(uuid: Uuid<"Datapath">, columns: ColumnsOf<Schema, "Datapath">): void {
    this.#datapaths.set(uuid, { ...this.#datapaths.get(uuid), ...columns });
  }

  controller(uuid: Uuid<"Controller">, columns: ColumnsOf<Schema, "Controller">): void {
    this.#controllers.set(uuid, { ...this.#controllers.get(uuid), ...columns });
  }

  /** Writes what is gathered; what comes meanwhile goes out when the answer is here. */
  commit(): void {
    if (this.#isCommitting || !this.#replica.status.isConnected) return;
    const txn = this.#replica.transaction();
    put("Open_vSwitch", this.#openVSwitch, this.#replica, txn);
    put("Bridge", this.#bridges, this.#replica, txn);
    put("Interface", this.#interfaces, this.#replica, txn);
    put("Datapath", this.#datapaths, this.#replica, txn);
    put("Controller", this.#controllers, this.#replica, txn);
    if (txn.isEmpty) return;
    this.#isCommitting = true;
    void txn.commit().then((result) => {
      this.#isCommitting = false;
      if (result.kind === "error") this.#log.warn(`the database refused what the switch says: ${result.error} ${result.details ?? ""}`);
      if (result.kind === "tryAgain") this.#lost();
      this.commit();
    });
  }
}

/** A row that has gone meanwhile needs no answer. */
function put<N extends Answerable>(table: N, answers: Map<Uuid<N>, ColumnsOf<Schema, N>>, replica: Replica<Schema>, txn: Transaction<Schema>): void {
  for (const [uuid, columns] of answers) if (replica.tables[table].get(uuid) !== undefined) txn.update({ _table: table, _uuid: uuid }, columns);
  answers.clear();
}
