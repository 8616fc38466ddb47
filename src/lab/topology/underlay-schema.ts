/**
 * `underlay:` the network below the tunnels, as it is written down.
 *
 *     underlay:
 *       networks:                                     what addresses mean
 *         internal_api: { cidr: 172.17.1.0/24, vlan: 20 }
 *         tenant: { cidr: 172.17.2.0/24, vlan: 50, roles: [tunnel] }
 *       switches:                                     bridges that learn, each on a machine
 *         data: { on: hypervisor, mac: "52:54:00:7b:c9:0a", ports: [data-nic] }
 *       links:                                        cables from card to card
 *         leaf-a: { between: [worker1/eth3, central/eth4], impairment: delay 1ms loss 0.1% }
 *       machines:                                     nodes by their name, and others: routers, hypervisors, the world outside
 *         controller-0:
 *           interfaces:
 *             ens3: { mac: "52:54:00:74:29:4f", plug: management/vnet9, addresses: [192.168.24.15/24] }
 *             vlan20: { of: ens3, network: internal_api, addresses: [172.17.1.72/24] }    a VLAN of a card
 *             ens4: { plug: data/vnet10, bridge: br-tenant }                              a card in an Open vSwitch bridge
 *             vlan50: { bridge: br-tenant, network: tenant, addresses: [172.17.2.10/24] } an internal port of the bridge
 *             br-ex: { bridge: br-ex, addresses: [10.0.0.42/24] }                         the bridge's own port
 *         hypervisor:
 *           interfaces:
 *             data: { addresses: [172.17.2.1/24] }      a switch's name on its machine: the machine's own end of it
 *             lo: { addresses: [192.0.2.1/32] }
 *           routes: [default via 192.168.24.1]        in iproute2's words
 *           sysctl: { net.ipv4.ip_forward: 1 }        by the kernel's names
 *           bfd: [{ peer: 100.65.1.2, interface: eth2 }]
 *       virtual-addresses:                            held by the first machine that lives (VRRP)
 *         - { address: 172.17.1.48/32, interface: vlan20, machines: [controller-0, controller-1] }
 */
import * as z from "zod";
import { changeImpairment, unimpaired } from "../../fabric/index.ts";
import { parsePrefix } from "../../net/index.ts";
import { ip, mac, name, prefix } from "./names.ts";
import { frrConfiguration } from "./speakers.ts";
import { tripleoSchema } from "./tripleo-schema.ts";

/** `tunnel`: Geneve travels there; `control`: databases do; `external`: the way out. */
export const networkRoles = ["tunnel", "control", "external"] as const;

/** `simulated`: a network stack of the lab's own. `netns`: the kernel of this machine, in a network namespace. */
export const machineKinds = ["simulated", "netns"] as const;

const words = (text: string): string[] => text.split(/\s+/).filter((w) => w !== "");

/** Made when the first topology file has an `underlay:`; the others do not pay for it. */
export const underlaySchema = (): UnderlaySchema => (made ??= makeSchema());
let made: UnderlaySchema | undefined;

type UnderlaySchema = ReturnType<typeof makeSchema>;
export type UnderlayFile = z.infer<UnderlaySchema>;

/** What several parts say. */
const makeWords = () => ({
  deviceName: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, "an interface name of at most 15 characters"),
  vlan: z.int().min(1).max(4094),
  impairment: z.string().superRefine((text, context) => {
    const result = changeImpairment(unimpaired, words(text));
    if ("wrong" in result) context.addIssue({ code: "custom", message: `troubles of a link: ${result.wrong}` });
  }),
});

function makeMachineSchema({ deviceName, vlan, impairment }: ReturnType<typeof makeWords>) {
  const interfaceSchema = z.strictObject({
    mac: mac.optional(),
    mtu: z.int().min(576).max(65535).default(1500),
    /** SWITCH or SWITCH/PORT: the card's cable ends there. */
    plug: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)?$/, "SWITCH or SWITCH/PORT").optional(),
    /** What a VLAN-filtering switch does at that port. */
    access: vlan.optional(),
    trunk: z.array(vlan).optional(),
    of: deviceName.optional(),
    bridge: deviceName.optional(),
    network: name.optional(),
    vlan: vlan.optional(),
    addresses: z.array(prefix).default([]),
    impairment: impairment.default(""),
  });

  const bfdSchema = z.strictObject({
    peer: ip,
    interface: deviceName,
    "min-rx": z.int().min(10).max(60_000).default(300),
    "min-tx": z.int().min(10).max(60_000).default(300),
    multiplier: z.int().min(1).max(255).default(3),
  });

  return z.strictObject({
    kind: z.enum(machineKinds).default("simulated"),
    interfaces: z.record(deviceName, interfaceSchema).default({}),
    routes: z.array(z.string().min(1)).default([]),
    sysctl: z.record(z.string().min(1), z.union([z.string(), z.int()])).default({}),
    bfd: z.array(bfdSchema).default([]),
    /** The text of a frr.conf: for machines of kind netns. */
    frr: frrConfiguration.optional(),
  });
}

function makeSchema() {
  const texts = makeWords();
  const { deviceName, vlan, impairment } = texts;
  const place = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*$/, "MACHINE/INTERFACE");

  const networkSchema = z.strictObject({
    cidr: z.string().refine((text) => text.includes("/") && parsePrefix(text) !== undefined, "a network such as 172.17.2.0/24"),
    vlan: vlan.optional(),
    roles: z.array(z.enum(networkRoles)).default([]),
  });

  const switchSchema = z.strictObject({
    on: name,
    mac: mac.optional(),
    /** Seconds after which a MAC address that is not heard is forgotten. */
    ageing: z.number().min(0).max(1_000_000).default(300),
    /** Ports that come first, with nothing of the lab behind them. */
    ports: z.array(deviceName).default([]),
    "vlan-filtering": z.boolean().default(false),
  });

  const linkSchema = z.strictObject({ between: z.tuple([place, place]), impairment: impairment.default("") });

  const virtualAddressSchema = z.strictObject({
    address: prefix,
    interface: deviceName,
    machines: z.array(name).min(1),
    /** Milliseconds between advertisements: three of them missing make the next machine take over. */
    advertisement: z.int().min(10).max(40_950).default(1000),
  });

  return z.strictObject({
    /** Networks and machines out of a TripleO deployment's files: see `tripleo.ts`. */
    tripleo: tripleoSchema().optional(),
    networks: z.record(name, networkSchema).default({}),
    switches: z.record(name, switchSchema).default({}),
    links: z.record(name, linkSchema).default({}),
    machines: z.record(name, makeMachineSchema(texts)).default({}),
    "virtual-addresses": z.array(virtualAddressSchema).default([]),
  });
}
