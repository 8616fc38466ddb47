/**
 * options:routing-protocol-redirect of a router port: BGP and BFD packets for its addresses go to a port of the switch instead,
 * where a routing daemon lives under the same addresses. What tells of neighbours goes to both of them.
 */
import { derived, rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { runsBfd } from "../bfd/sessions.ts";
import { type Actions, actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf, switchPeerOf } from "../topology/router-ports.ts";
import type { LogicalSwitch, RouterPort, SwitchPort, Topology } from "../topology/topology.ts";

const protocols = {
  BGP: { transport: "tcp", port: 179 },
  BFD: { transport: "udp", port: 3784 },
} as const;

type Protocol = keyof typeof protocols;

const isKnown = (word: string): word is Protocol => Object.hasOwn(protocols, word);

/** options:routing-protocols. */
const redirectedProtocols = derived("routing-protocols", (port: RouterPort): ReadonlySet<Protocol> => {
  const found = new Set<Protocol>();
  for (const word of (port.row.options.get("routing-protocols") ?? "").split(",").filter((w) => w !== "")) {
    if (isKnown(word)) found.add(word);
    else port.topology.warn(`Option 'routing-protocols' encountered unknown value ${word}`);
  }
  return found;
});

interface Redirect {
  readonly owner: LogicalSwitch;
  /** Of the switch, towards the router port. */
  readonly peer: SwitchPort;
  readonly target: string;
}

const redirectOf = derived("routing-protocol-redirect", (port: RouterPort): Redirect | undefined => {
  const { topology: t, row } = port;
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  const target = row.options.get("routing-protocol-redirect");
  if (peer === undefined || owner === undefined || target === undefined) return undefined;
  const to = t.switchPortsByName.first(target);
  const other = to === undefined ? undefined : switchOf(to);
  const refuse = (why: string): undefined => {
    t.warn(`${why} Routing protocol redirecting won't be configured.`);
    return undefined;
  };
  if (other === undefined) return refuse(`Option 'routing-protocol-redirect' set on Logical Router Port '${row.name}' refers to non-existent Logical Switch Port.`);
  if (other !== owner) {
    return refuse(`Logical Router Port '${row.name}' is connected to a different switch than the Logical Switch Port '${target}' defined in its 'routing-protocol-redirect' option.`);
  }
  if (redirectedProtocols(port).size > 0) return { owner, peer, target };
  t.warn(`Option 'routing-protocol-redirect' is set on Logical Router Port '${row.name}' but no known protocols were set via 'routing-protocols' options. This configuration has no effect.`);
  return undefined;
});

export const protocolRedirects = rule("routing-protocol-redirects", (t: Topology) => t.routerPorts, function* (_, port) {
  const redirect = redirectOf(port);
  if (redirect === undefined) return;
  const { owner, peer, target } = redirect;
  const { ipv4, ipv6 } = networksOf(port);
  const only = actions`outport = "${target}"; output;`;
  const both = actions`clone { outport = "${target}"; output; }; outport = ${quoted(peer.row.name)}; output;`;
  for (const { text } of ipv4) {
    yield* forAddress(owner, port, `ip4.dst == ${text}`, only, both);
    yield lflow(owner, lsIn.l2Lkup, 100, match`arp.op == 2 && arp.tpa == ${text}`, both);
  }
  for (const { text } of ipv6) {
    yield* forAddress(owner, port, `ip6.dst == ${text}`, only, both);
    yield lflow(owner, lsIn.l2Lkup, 100, match`ip6.dst == ${text} && nd_na`, both);
  }
  // The daemon has the router's addresses: the router alone answers for them.
  for (const kind of ["arp.op == 2", "nd_na", "nd_ra"]) {
    yield lflow(owner, lsIn.checkPortSec, 80, match`inport == "${target}" && ${kind}`, actions`${bit.portSecurityDrop} = 1; next;`);
  }
});

/** Requests to the daemon, and replies to its own. OVN's own BFD sessions need their packets too. */
function* forAddress(owner: LogicalSwitch, port: RouterPort, to: string, only: Actions, both: Actions) {
  for (const protocol of redirectedProtocols(port)) {
    const { transport, port: number } = protocols[protocol];
    const acts = protocol === "BFD" && runsBfd(port) ? both : only;
    for (const end of ["dst", "src"]) yield lflow(owner, lsIn.l2Lkup, 100, match`${to} && ${transport}.${end} == ${number}`, acts);
  }
}
