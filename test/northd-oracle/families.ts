/**
 * Families of random networks. Each holds some features of northd against OVN's own, has a generator in a file of its own, and a
 * file of recordings, `recordings/FAMILY.json.br`. "base" is what every network is made of; most others add rows to a base network.
 */
import type { SeededRandom } from "../../src/std/index.ts";
import { aclChanges, aclNetwork } from "./acls.ts";
import { changesOf } from "./changes.ts";
import type { JsonValue } from "./columns.ts";
import { balancerChanges, balancerNetwork } from "./load-balancers.ts";
import { featuresChanges, featuresNetwork, whatChassisSnoop } from "./features.ts";
import { balancedNatChanges, balancedNatNetwork, natChanges, natNetwork } from "./nats.ts";
import { type Network, NetworkGenerator } from "./network.ts";
import type { Dump } from "./normalize.ts";
import { routingChanges, routingNetwork, whatChassisLearn } from "./routing.ts";
import { settingsChanges, settingsNetwork, whatChassisCan } from "./settings.ts";

export interface Family {
  readonly generate: (seed: number) => Network;
  /** Operations on the northbound database: what people change their minds about. The base family's, if there are no others. */
  readonly changes?: (network: Network, random: SeededRandom) => readonly JsonValue[];
  /** Operations on the southbound database, as chassis make them: on what is there of the tables `seen`. By name, so that both sides see the same. */
  readonly southbound?: { readonly seen: readonly string[]; readonly operations: (dump: Dump, random: SeededRandom) => readonly JsonValue[] };
}

export const families: { readonly [name: string]: Family } = {
  base: { generate: (seed) => new NetworkGenerator(seed).generate() },
  acl: { generate: aclNetwork, changes: aclChanges },
  lb: { generate: balancerNetwork, changes: balancerChanges },
  features: { generate: featuresNetwork, changes: featuresChanges, southbound: { seen: ["Port_Binding", "Chassis"], operations: whatChassisSnoop } },
  routing: { generate: routingNetwork, changes: routingChanges, southbound: { seen: ["Port_Binding", "BFD"], operations: whatChassisLearn } },
  settings: { generate: settingsNetwork, changes: settingsChanges, southbound: { seen: ["Chassis"], operations: whatChassisCan } },
  nat: { generate: natNetwork, changes: natChanges },
  "nat-lb": { generate: balancedNatNetwork, changes: balancedNatChanges },
};

export function familyNamed(name: string): Family {
  const family = families[name];
  if (family === undefined) throw new Error(`no family "${name}": there are ${Object.keys(families).join(", ")}`);
  return family;
}

export const changesOfFamily = (family: Family, network: Network, random: SeededRandom): readonly JsonValue[] => (family.changes ?? changesOf)(network, random);
