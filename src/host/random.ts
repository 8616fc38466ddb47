/** Randomness for identities and jitter. Seeded in tests and in simulation. */
export interface Random {
  /** An unsigned 32-bit number. */
  next32(): number;
  /** A version-4 UUID in lower case. */
  uuid(): string;
}
