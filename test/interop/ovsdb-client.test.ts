/** The client side of OVSDB against the real ovsdb-server. */
import { test } from "node:test";
import { databaseBecomesAsWished } from "../projection-stories.ts";
import { conditionsLocksAndVerification, replicaFollows } from "../replica-stories.ts";
import { RealServer, skip } from "./real-ovsdb-server.ts";

test("a replica equals the server's contents after random transactions, a restart and a reconnection", { skip }, () => replicaFollows(new RealServer()));
test("conditions, locks and verification", { skip }, () => conditionsLocksAndVerification(new RealServer()));
test("the database becomes as wished, through changes, meddling and lost connections", { skip }, () => databaseBecomesAsWished(new RealServer(), 5));
