/** How clients reach a database: the same two tables in each of OVN's databases (Connection and SSL in ovn-nb(5)). */
import { boolean, ephemeral, integer, map, optional, string, table } from "../ovsdb/index.ts";

export const Connection = table({
  indexes: [["target"]],
  columns: {
    target: string(),
    max_backoff: optional(integer({ min: 1000 })),
    inactivity_probe: optional(integer()),
    other_config: map(string(), string()),
    external_ids: map(string(), string()),
    is_connected: ephemeral(boolean()),
    status: ephemeral(map(string(), string())),
  },
});

export const SSL = table({
  maxRows: 1,
  columns: {
    private_key: string(),
    certificate: string(),
    ca_cert: string(),
    bootstrap_ca_cert: boolean(),
    ssl_protocols: string(),
    ssl_ciphers: string(),
    ssl_ciphersuites: string(),
    external_ids: map(string(), string()),
  },
});
