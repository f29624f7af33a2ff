/** What went wrong, for the person who typed the command, and the exit code the real tool would give. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

/** A command line that cannot be understood. */
export function usage(message: string): CommandError {
  return new CommandError(message, 2)
}
