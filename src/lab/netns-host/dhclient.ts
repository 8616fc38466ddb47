/** ISC's dhclient(8) as a lab wants it: at once, and with an end. */

const configuration = "/run/dhclient.conf";

/** Seconds: the lab may be a moment behind, and nobody waits for minutes. */
const settings = `timeout 20;
initial-interval 1;
backoff-cutoff 2;
also request interface-mtu, rfc3442-classless-static-routes;
`;

/** Files that a machine needs for it. The name servers that a lease brings are the host's, not this machine's. */
export const dhclientFiles = (): readonly (readonly [string, string])[] => [[configuration, settings], ["/etc/resolv.conf", ""]];

/** Ends with the first lease, which a process in the background keeps from then on; fails if there is none. */
export const dhclient = (family: 4 | 6, interfaceName: string): readonly string[] => [
  "dhclient", `-${family}`, "-1", "-v", "-cf", configuration, "-pf", `/run/dhclient${family}.pid`, "-lf", `/run/dhclient${family}.leases`, interfaceName,
];
