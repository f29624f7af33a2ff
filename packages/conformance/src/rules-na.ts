/**
 * Rules no driver can break, each with the reason. They are checked all the same.
 *
 * @kernel none
 */
export const NO_MUTANT: Readonly<Record<string, string>> = {}

/** Rules that cannot be checked on a driver at all, each with the reason. @kernel none */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {}
