/** What a command gets beside its own arguments. */
export type CommandContext = {
  /** Aborted when the user stops the command. */
  readonly signal: AbortSignal
  /** From now on signals go to the program that runs on this terminal alone. */
  leaveSignals(): void
}
