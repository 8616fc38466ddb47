/** The database `_Server`, in which a server tells of the databases that it serves (ovsdb-server(5)). */
import { boolean, database, integer, optional, string, table, uuid } from "../schema/typed-schema.ts";

export const serverDatabase = database(
  "_Server",
  "1.2.0",
  {
    Database: table({
      isRoot: true,
      columns: {
        name: string(),
        model: string({ enum: ["standalone", "clustered", "relay"] }),
        connected: boolean(),
        leader: boolean(),
        schema: optional(string()),
        cid: optional(uuid()),
        sid: optional(uuid()),
        index: optional(integer()),
      },
    }),
  },
  "3009684573 744",
);
