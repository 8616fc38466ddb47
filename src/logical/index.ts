/** The logical-flow language: stages, symbols, expressions and actions; from text to OpenFlow. Knows nothing of databases. */
export { openflowTables, outputInit } from "./openflow-tables.ts";
export { ctMarkBits, evpnKeyFlag, flagBits, logicalRegisterCount, logicalRegisters, maxNetworkId } from "./registers.ts";
export {
  type DatapathKind, lrIn, lrOut, lsIn, lsOut, type Pipeline, pipelineLength, type Stage, stageAt, stageNamed, stages,
} from "./stages.ts";
