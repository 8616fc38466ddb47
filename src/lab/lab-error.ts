/** Failures of a lab that are the user's or the machine's. */

/** What the user did wrong, or what the machine lacks: told without a stack. */
export class LabError extends Error {}
