/** The logical-flow language: stages, symbols, expressions and actions; from text to OpenFlow. Knows nothing of databases. */
export type { Backend, LogicalAction, LogicalActionKind, LogicalActionOf, NestedKind } from "./actions/action.ts";
export type { ActionParameters } from "./actions/action-parser.ts";
export { Bytes, controllerOp, type ControllerOpcode, controllerOpcodes, parseControllerOp } from "./actions/controller-op.ts";
export { cookieOf, type DatapathFeatures, type EncodeContext, type Group } from "./actions/encode-context.ts";
export { encodeActions } from "./actions/encode-actions.ts";
export { formatAction, formatActions } from "./actions/format-actions.ts";
export { dhcpCodes, dhcpv4Options, dhcpv6Options, type GenericOption, ndRaOptions, type OptionTable } from "./actions/options.ts";
export { addressAndPort } from "./actions/address-text.ts";
export { parseActions, type ParsedActions } from "./actions/parse-actions.ts";
export { logSeverities, logVerdicts } from "./actions/watching.ts";
export { formatHex } from "./number-text.ts";
export { evaluate, type EvaluationContext, type FieldReader } from "./evaluate.ts";
export { type Expression, formatExpression, uniqueSymbol } from "./expression.ts";
export {
  addressConstants, annotateExpression, expressionToMatches, type MatchContext, parseExpression,
} from "./expressions.ts";
export {
  flowMatches, namesSets, type ReadFlow, readLogicalFlow, type Translation, type TranslationContext, translateLogicalFlow,
} from "./logical-flow.ts";
export { type ConjunctionClause, type FlowMatch, type FlowMatches, type PortLookup, toMatches, withConjunctionId } from "./matches.ts";
export { findInport, type InportSearch, parseMicroflow } from "./microflow.ts";
export { normalize } from "./normalize.ts";
export { testOvn } from "./ovstest.ts";
export { openflowTables, outputInit } from "./openflow-tables.ts";
export { ctStateNames, ovnAclCtSymbols, ovnSymbols } from "./ovn-symbols.ts";
export { type Constant, formatConstants, type IntegerConstant } from "./constant.ts";
export { type ExpressionContext, type Parsed } from "./parse-expression.ts";
export { ctMarkBits, evpnKeyFlag, flagBits, logicalRegisterCount, logicalRegisters, maxNetworkId } from "./registers.ts";
export { evaluateConditions, hasConditions, simplify } from "./simplify.ts";
export {
  type DatapathKind, lrIn, lrOut, lsIn, lsOut, type Pipeline, pipelineLength, type Stage, stageAt, stageNamed, stages,
} from "./stages.ts";
export { type FieldReference, formatFieldReference, type LogicalSymbol, resolveField } from "./symbol.ts";
export { SymbolTable } from "./symbol-table.ts";
export { expandTemplates, type TemplateLookup } from "./template.ts";
