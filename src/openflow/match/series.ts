/** Names of fields that come in numbered series, in order. */
import { allFields } from "./field.ts";
import type { FieldName } from "./field-table.ts";

const named = (pattern: RegExp): readonly FieldName[] => allFields.filter((f) => pattern.test(f.name)).map((f) => f.name);

export const registerNames = named(/^reg\d+$/);
export const tunnelMetadataNames = named(/^tun_metadata\d+$/);
