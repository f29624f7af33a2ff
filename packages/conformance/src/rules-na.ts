/**
 * Rules no driver can break, each with the reason. They are checked all the same.
 *
 * @kernel none
 */
export const NO_MUTANT: Readonly<Record<string, string>> = {
  'LINK-08': 'the core works RUNNING out of the operational state; a driver has no say in it',
  'ETH-07': 'the core looks at the rules and the table before it asks the driver',
  'ETH-11': 'begin and complete are the calls of the core',
  'ETH-15': 'the core merges the request; the driver sees only the result',
  'ETH-16': 'the tool asks who may do it before it calls the core',
  'LOG-02': "the queries are the kernel's; a driver only has the lines",
}

/** Rules that cannot be checked on a driver at all, each with the reason. @kernel none */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'LINK-07': 'a driver has one end of its cable; packages/backend tests that closing one end is seen at the other',
}
