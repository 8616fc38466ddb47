/** NXT_TLV_TABLE_MOD: which Geneve options a bridge's tun_metadata fields stand for. */
import { OfError, type TlvMapping } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import { tunMetadataFields } from "../flow/flow-key.ts";

export function changeTlvs(bridge: Bridge, command: "add" | "delete" | "clear", mappings: readonly TlvMapping[]): OfError | undefined {
  const after = new Map(command === "clear" ? [] : bridge.tlvs);
  for (const mapping of command === "clear" ? [] : mappings) {
    if (command === "delete") after.delete(mapping.index);
    else {
      if (mapping.index >= tunMetadataFields) return new OfError("NXTTMFC_BAD_FIELD_IDX", `this switch maps ${tunMetadataFields} fields`);
      if (mapping.optionSize !== 4) return new OfError("NXTTMFC_BAD_OPT_LEN", "this switch maps options of four bytes");
      if (after.has(mapping.index)) return new OfError("NXTTMFC_ALREADY_MAPPED");
      for (const other of after.values()) {
        if (other.optionClass === mapping.optionClass && other.optionType === mapping.optionType) return new OfError("NXTTMFC_DUP_ENTRY");
      }
      after.set(mapping.index, mapping);
    }
  }
  bridge.tlvs.clear();
  for (const [index, mapping] of after) bridge.tlvs.set(index, mapping);
  bridge.generation++;
  return undefined;
}

