/** The client side of OVSDB, against our own server. test/interop has the same stories with the real one. */
import { test } from "node:test";
import { type BenchServer, OwnServer } from "./client-bench.ts";
import { databaseBecomesAsWished } from "./projection-stories.ts";
import { conditionsLocksAndVerification, replicaFollows } from "./replica-stories.ts";

const on = (story: (server: BenchServer) => Promise<void>) => () => story(new OwnServer());

test("a replica equals the server's contents after random transactions, a restart and a reconnection", on(replicaFollows));
test("conditions, locks and verification", on(conditionsLocksAndVerification));
for (const seed of [1, 2, 3]) {
  test(`the database becomes as wished, through changes, meddling and lost connections: ${seed}`, on((server) => databaseBecomesAsWished(server, seed)));
}
