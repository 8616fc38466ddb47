/** What the lexer or a parser above it found wrong. Thrown inside the room only; its doors return the message. */
export class LogicalSyntaxError extends Error {
  override name = "LogicalSyntaxError";
}
