/** ovn-ic beside the real one, on real databases with real northds: whoever of the two is in which zone, the same is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMainBranch, type Kind, skip, Zones } from "./ic-zones.ts";

interface Chapter {
  readonly what: string;
  act(zones: Zones): void;
  /** Left out where the real one is of before 26.03. */
  readonly isNewer?: true;
  /** Lines in which the two are known to differ from here on. */
  readonly except?: RegExp;
}
type Story = readonly Chapter[];

function attach(zones: Zones, zone: string, number: number): void {
  zones.sb(zone, "chassis-add", `gw${number}`, "geneve", `10.0.0.${number}`);
  zones.sb(zone, "set", "Chassis", `gw${number}`, "other_config:is-interconn=true", `hostname=host${number}`);
  zones.sb(zone, "chassis-add", `worker${number}`, "geneve", `10.0.1.${number}`);
  zones.script(zone, `
    lr-add lr${number}
    lrp-add lr${number} lr${number}-ts1 aa:aa:aa:aa:aa:0${number} 169.254.100.${number}/24 2001:db8:1::${number}/64
    lrp-set-gateway-chassis lr${number}-ts1 gw${number}
    lsp-add ts1 ts1-lr${number}
    lsp-set-addresses ts1-lr${number} router
    lsp-set-type ts1-lr${number} router
    lsp-set-options ts1-lr${number} router-port=lr${number}-ts1
    lrp-add lr${number} lr${number}-net aa:aa:aa:aa:bb:0${number} 192.168.${number}.1/24 fd00:${number}::1/64`);
  zones.sb(zone, "wait-until", "Port_Binding", `cr-lr${number}-ts1`, `logical_port=cr-lr${number}-ts1`);
  zones.sb(zone, "lsp-bind", `cr-lr${number}-ts1`, `gw${number}`);
}

const each = (zones: Zones, act: (zone: string, number: number) => void): void => zones.names.forEach((zone, i) => act(zone, i + 1));
const options = (zones: Zones, ...settings: string[]): void =>
  each(zones, (zone) => void zones.nb(zone, "set", "NB_Global", ".", ...settings.map((s) => `options:${s}`)));

const mainStory: Story = [
  { what: "a transit switch", act: (zones) => void zones.icNb("ts-add", "ts1") },
  {
    what: "gateways, routers and their ports",
    act: (zones) => each(zones, (zone, number) => {
      attach(zones, zone, number);
    }),
  },
  { what: "routes advertised and learned", act: (zones) => options(zones, "ic-route-adv=true", "ic-route-learn=true") },
  {
    what: "static routes",
    act: (zones) => each(zones, (zone, n) => zones.script(zone, `
      lr-route-add lr${n} 10.11.${n}.0/24 192.168.${n}.9
      lr-route-add lr${n} 10.99.0.0/16 192.168.${n}.9
      --policy=src-ip lr-route-add lr${n} 10.22.${n}.0/24 192.168.${n}.9
      lr-route-add lr${n} 0.0.0.0/0 192.168.${n}.8
      lr-route-add lr${n} fd11:${n}::/48 fd00:${n}::9`)),
  },
  { what: "default routes", act: (zones) => options(zones, "ic-route-adv-default=true", "ic-route-learn-default=true") },
  // Before 23.06 it had another name.
  { isNewer: true, what: "a denylist", act: (zones) => void zones.nb("az1", "set", "NB_Global", ".", 'options:ic-route-denylist="10.11.2.0/24,192.168.0.0/16"') },
  { isNewer: true, what: "no denylist", act: (zones) => void zones.nb("az1", "remove", "NB_Global", ".", "options", "ic-route-denylist") },
  {
    what: "route tables",
    act: (zones) => each(zones, (zone, n) => zones.script(zone, `
      lrp-add lr${n} lr${n}-rt aa:aa:aa:aa:cc:0${n} 172.16.${n}.1/24
      --route-table=rtb1 lr-route-add lr${n} 10.33.${n}.0/24 172.16.${n}.9
      lrp-set-options lr${n}-ts1 route_table=rtb1`)),
  },
  { what: "the main table again", act: (zones) => each(zones, (zone, n) => void zones.nb(zone, "clear", "Logical_Router_Port", `lr${n}-ts1`, "options")) },
  { what: "a network goes", act: (zones) => void zones.nb("az1", "lrp-del", "lr1-net") },
  // OVN 23.03 learns the same routes again and again for a router that is disabled.
  { isNewer: true, what: "a router is disabled", act: (zones) => void zones.nb("az2", "set", "Logical_Router", "lr2", "enabled=false") },
  { isNewer: true, what: "and enabled", act: (zones) => void zones.nb("az2", "set", "Logical_Router", "lr2", "enabled=true") },
  { what: "no learning in one zone", act: (zones) => void zones.nb("az1", "set", "NB_Global", ".", "options:ic-route-learn=false") },
  { what: "a second transit switch", act: (zones) => void zones.icNb("ts-add", "ts2") },
  { what: "a gateway moves", act: (zones) => void zones.sb("az1", "set", "Encap", zones.sb("az1", "get", "Chassis", "gw1", "encaps").replace(/[[\]\s]/g, ""), "ip=10.0.0.77") },
  { what: "a chassis is no gateway any more", act: (zones) => void zones.sb("az2", "remove", "Chassis", "gw2", "other_config", "is-interconn") },
  { what: "and is again", act: (zones) => void zones.sb("az2", "set", "Chassis", "gw2", "other_config:is-interconn=true") },
  {
    what: "a port goes",
    act: (zones) => void zones.nb("az2", "lsp-del", "ts1-lr2"),
    // The real one forgets the routes that a router has learned when its last port on a transit switch goes; before 23.09 also
    // those that it has advertised.
    except: isMainBranch ? /^az2 Logical_Router|ic-learned-route/ : /^az2 Logical_Router|ic-learned-route|^ic Route/,
  },
  { isNewer: true, what: "a zone changes its name", act: (zones) => void zones.nb("az2", "set", "NB_Global", ".", "name=west") },
  { what: "the transit switch goes", act: (zones) => void zones.icNb("ts-del", "ts1") },
];

const onPort = (zones: Zones, zone: string, ...settings: string[]): void => {
  const n = zone.slice(2);
  zones.nb(zone, "clear", "Logical_Router_Port", `lr${n}-ts1`, "options");
  if (settings.length > 0) zones.nb(zone, "set", "Logical_Router_Port", `lr${n}-ts1`, ...settings.map((s) => `options:${s}`));
};
const onRouter = (zones: Zones, zone: string, ...settings: string[]): void => {
  const n = zone.slice(2);
  zones.nb(zone, "clear", "Logical_Router", `lr${n}`, "options");
  if (settings.length > 0) zones.nb(zone, "set", "Logical_Router", `lr${n}`, ...settings.map((s) => `options:${s}`));
};

const optionStory: Story = [
  { what: "a transit switch", act: (zones) => void zones.icNb("ts-add", "ts1") },
  {
    what: "routers that exchange routes",
    act: (zones) => {
      each(zones, (zone, number) => {
        attach(zones, zone, number);
        zones.script(zone, `lr-route-add lr${number} 10.11.${number}.0/24 192.168.${number}.9
          lr-route-add lr${number} 10.12.${number}.0/24 discard`);
      });
      options(zones, "ic-route-adv=true", "ic-route-learn=true");
    },
  },
  { what: "a filter of what is advertised, on the router", act: (zones) => onRouter(zones, "az1", "ic-route-filter-adv=10.11.0.0/16") },
  { what: "and on the port", act: (zones) => onPort(zones, "az1", 'ic-route-filter-adv="192.168.1.0/24,fd00::/16"') },
  { what: "what is denied, on the router", act: (zones) => onRouter(zones, "az1", 'ic-route-deny-adv="10.11.0.0/16"') },
  { what: "only on the port", act: (zones) => { onRouter(zones, "az1"); onPort(zones, "az1", "ic-route-deny-adv=192.168.1.0/24"); } },
  { what: "filters of what is learned", act: (zones) => { onPort(zones, "az1"); onRouter(zones, "az2", 'ic-route-filter-learn="10.11.0.0/16,10.12.0.0/16"'); onPort(zones, "az2", "ic-route-deny-learn=10.12.0.0/16"); } },
  { what: "nothing of the kind", act: (zones) => { onRouter(zones, "az2"); onPort(zones, "az2"); } },
  { what: "a tag", act: (zones) => onPort(zones, "az1", "ic-route-tag=blue") },
  { what: "a tag that is not wanted", act: (zones) => onPort(zones, "az2", "ic-route-filter-tag=blue") },
  { what: "IPv4 over IPv6", act: (zones) => { onPort(zones, "az1"); onPort(zones, "az2"); onRouter(zones, "az1", "ic-route-ipv4-next-hop-ipv6=true"); } },
  { what: "and back", act: (zones) => onRouter(zones, "az1") },
  {
    what: "load balancers",
    act: (zones) => {
      each(zones, (zone, n) => zones.script(zone, `lb-add lb${n} 172.20.${n}.1:80 192.168.${n}.5:80
        lb-add lbv6 [fd20:${n}::1]:80 [fd00:${n}::5]:80
        lr-lb-add lr${n} lb${n}
        lr-lb-add lr${n} lbv6`));
      options(zones, "ic-route-adv-lb=true");
    },
  },
  { what: "load balancers learned", act: (zones) => options(zones, "ic-route-learn-lb=true") },
  { what: "the same address on both sides", act: (zones) => void zones.nb("az2", "lb-add", "lb2", "172.20.1.1:80", "192.168.2.5:80") },
  { what: "a route of one's own", act: (zones) => void zones.nb("az2", "lr-route-add", "lr2", "10.11.1.0/24", "192.168.2.7") },
  { what: "gone again", act: (zones) => void zones.nb("az2", "lr-route-del", "lr2", "10.11.1.0/24", "192.168.2.7") },
  {
    what: "a second router in one zone",
    act: (zones) => zones.script("az1", `
      lr-add lr3
      lrp-add lr3 lr3-ts1 aa:aa:aa:aa:aa:03 169.254.100.3/24
      lsp-add ts1 ts1-lr3
      lsp-set-addresses ts1-lr3 router
      lsp-set-type ts1-lr3 router
      lsp-set-options ts1-lr3 router-port=lr3-ts1
      lrp-add lr3 lr3-net aa:aa:aa:aa:bb:03 192.168.3.1/24`),
  },
  { what: "a port that is asked for at a chassis", act: (zones) => void zones.nb("az2", "set", "Logical_Switch_Port", "ts1-lr1", "options:requested-chassis=gw1") },
  {
    what: "a switch on the transit switch",
    act: (zones) => zones.script("az1", `
      ls-add spine
      lsp-add spine spine-ts1
      lsp-set-type spine-ts1 switch
      lsp-set-addresses spine-ts1 unknown
      lsp-add ts1 ts1-spine
      lsp-set-type ts1-spine switch
      lsp-set-addresses ts1-spine unknown
      set Logical_Switch_Port ts1-spine peer=spine-ts1
      set Logical_Switch_Port spine-ts1 peer=ts1-spine`),
  },
  { what: "it goes", act: (zones) => void zones.nb("az1", "lsp-del", "ts1-spine") },
  { what: "a zone loses its name", act: (zones) => void zones.nb("az2", "set", "NB_Global", ".", 'name=""'), except: /./ },
];

const icRow = (zones: Zones, table: string, name: string): string => zones.icNb("--bare", "--columns=_uuid", "find", table, `name=${name}`).trim();

const newerStory: Story = [
  { what: "a transit switch", act: (zones) => void zones.icNb("ts-add", "ts1") },
  { what: "gateways and routers", act: (zones) => each(zones, (zone, number) => attach(zones, zone, number)) },
  {
    what: "a port without a chassis",
    act: (zones) => void zones.icNb("tsp-add", "ts1", "tsp0"),
    // It belongs to the leader, whichever zone that is.
    except: /logical_port=tsp0/,
  },
  { what: "with addresses", act: (zones) => void zones.icNb("tsp-set-addr", "tsp0", "00:00:00:00:09:01 10.9.0.1") },
  { what: "a port at a chassis of each zone", act: (zones) => each(zones, (_, n) => void zones.icNb("tsp-add", "ts1", `tsp${n}`, `chassis=gw${n}`)) },
  { what: "its type and peer", act: (zones) => void zones.icNb("set", "Transit_Switch_Port", icRow(zones, "Transit_Switch_Port", "tsp1"), "type=router", "peer=lr1-other") },
  { what: "it moves to the other zone", act: (zones) => void zones.icNb("set", "Transit_Switch_Port", icRow(zones, "Transit_Switch_Port", "tsp1"), "chassis=worker1"), except: /./ },
  { what: "it goes", act: (zones) => { zones.icNb("tsp-del", "tsp1"); zones.icNb("tsp-del", "tsp0"); }, except: /^$/ },
  { what: "a transit router", act: (zones) => void zones.icNb("tr-add", "tr1") },
  {
    what: "its ports",
    act: (zones) => each(zones, (_, n) => void zones.icNb("trp-add", "tr1", `trp${n}`, `00:00:00:00:08:0${n}`, `10.8.${n}.1/24`, `fd08:${n}::1/64`, `chassis=gw${n}`)),
  },
  { what: "another network", act: (zones) => void zones.icNb("set", "Transit_Router_Port", icRow(zones, "Transit_Router_Port", "trp1"), "networks=10.8.7.1/24") },
  {
    what: "a port goes",
    act: (zones) => void zones.icNb("trp-del", "trp2"),
    // The real one keeps the announcement for as long as the router is there.
    except: /logical_port=trp2/,
  },
  { what: "the router goes", act: (zones) => void zones.icNb("tr-del", "tr1") },
  {
    what: "address sets",
    act: (zones) => {
      each(zones, (zone, n) => {
        zones.nb(zone, "create", "Address_Set", "name=shared", `addresses=10.0.${n}.1`, "options:ic-adv=true");
        zones.nb(zone, "create", "Address_Set", `name=of${n}`, `addresses=10.0.${n}.2,10.0.${n}.3`, "options:ic-adv=true");
        zones.nb(zone, "create", "Address_Set", `name=own${n}`, `addresses=10.0.${n}.4`);
      });
      options(zones, "ic-as-adv=true", "ic-as-learn=true");
    },
  },
  { what: "an address more", act: (zones) => void zones.nb("az1", "add", "Address_Set", "of1", "addresses", "10.0.1.77") },
  { what: "no set of its own any more", act: (zones) => void zones.nb("az2", "destroy", "Address_Set", "shared") },
  { what: "nothing announced any more", act: (zones) => void zones.nb("az1", "set", "NB_Global", ".", "options:ic-as-adv=false") },
  {
    what: "a load balancer with a backend in the other zone",
    act: (zones) => {
      zones.script("az2", `
        ls-add backends
        lsp-add backends b1
        lsp-set-addresses b1 unknown`);
      zones.sb("az2", "wait-until", "Port_Binding", "b1", "logical_port=b1");
      zones.sb("az2", "lsp-bind", "b1", "worker2");
      zones.sb("az2", "set", "Port_Binding", "b1", "up=true");
      zones.script("az1", `
        ls-add front
        lb-add lb1 10.50.0.1:80 10.60.0.2:80
        ls-lb-add front lb1
        set Load_Balancer lb1 ip_port_mappings:10.60.0.2="b1:10.60.0.100:az2"
        lb-add lb2 10.50.0.2:80 10.60.0.3:80`);
      zones.nb("az1", "--id=@hc", "create", "Load_Balancer_Health_Check", 'vip="10.50.0.1:80"', "--", "add", "Load_Balancer", "lb1", "health_check", "@hc");
    },
  },
  { what: "its status", act: (zones) => { for (const uuid of zones.sb("az2", "--bare", "--columns=_uuid", "find", "Service_Monitor", "ic_learned=true").split(/\s+/).filter((u) => u !== "")) zones.sb("az2", "set", "Service_Monitor", uuid, "status=online"); } },
  { what: "no load balancer", act: (zones) => void zones.nb("az1", "lb-del", "lb1") },
];

async function tell(story: Story, kinds: { readonly [zone: string]: Kind }): Promise<{ readonly what: string; readonly picture: string }[]> {
  const zones = new Zones(kinds);
  try {
    await zones.start();
    const pictures: { what: string; picture: string }[] = [];
    for (const { what, act } of story) {
      act(zones);
      pictures.push({ what, picture: await zones.settled() });
    }
    return pictures;
  } finally {
    await zones.stop();
  }
}

/** Before 25.03 the real one did not say ic-vxlan_mode, and before 23.09 not which router a route is from. */
const linesOf = (picture: string): Set<string> =>
  new Set((isMainBranch ? picture : picture.replaceAll(/ic-vxlan_mode=false ?|lr-id=<[^>]*> ?/g, "")).split("\n"));

async function compare(whole: Story): Promise<void> {
  const story = whole.filter((chapter) => isMainBranch || chapter.isNewer !== true);
  const expected = await tell(story, { az1: "real", az2: "real" });
  const differences: string[] = [];
  for (const kinds of [{ az1: "ours", az2: "ours" }, { az1: "ours", az2: "real" }, { az1: "real", az2: "ours" }] as const) {
    const actual = await tell(story, kinds);
    let except: RegExp | undefined;
    for (const [i, { what, picture }] of expected.entries()) {
      except = story[i]?.except ?? except;
      const [wanted, got] = [linesOf(picture), linesOf(actual[i]?.picture ?? "")];
      const only = (sign: string, a: Set<string>, b: Set<string>): string[] =>
        [...a].filter((line) => !b.has(line) && !except?.test(line)).map((line) => `  ${sign} ${line}`);
      const lines = [...only("-", wanted, got), ...only("+", got, wanted)];
      if (lines.length > 0) differences.push(`${JSON.stringify(kinds)}: ${what}`, ...lines);
    }
  }
  assert.equal(differences.join("\n"), "");
}

const skipComparison = skip || (isMainBranch ? false : "ISTHMUS_OVN names no build of OVN's main branch");

test("zones of ours alone, of real ones alone and of both come to the same", { skip }, () => compare(mainStory));
test("and with the options for routes", { skip: skipComparison }, () => compare(optionStory));
test("and with what is new in OVN's main branch", { skip: skipComparison }, () => compare(newerStory));
