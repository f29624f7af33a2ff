/**
 * Rules no driver can break, each with the reason. They are checked all the same.
 *
 * @kernel none
 */
export const NO_MUTANT: Readonly<Record<string, string>> = {
  'CTX-05': 'the core freezes the queues and turns softirqs off before it tells the driver of a timeout',
  'LIFE-04': 'the core refuses before the driver is asked',
  'STOP-05': 'the core clears the running state before it calls ndoStop',
  'TXQ-13': 'the core looks at the stop bit before it calls ndoStartXmit',
  'WDT-04': 'a driver without ndoTxTimeout has nothing the core could call',
  'NAPI-10':
    'napiSchedulePrep notes the schedule and napiCompleteDone answers it; a driver cannot make either forget',
  'NAPI-17':
    'the softirq counts the work and looks at the clock itself; a driver that reports wrong work breaks NAPI-02 or NAPI-07',
  'NAPI-18': 'the softirq keeps the list; a driver has no way to the front of it',
  'COAL-05': "the deferral timer is the core's, and schedules without the driver",
  'LINK-08': 'the core works RUNNING out of the operational state; a driver has no say in it',
  'ETH-07': 'the core looks at the rules and the table before it asks the driver',
  'ETH-11': 'begin and complete are the calls of the core',
  'ETH-15': 'the core merges the request; the driver sees only the result',
  'ETH-16': 'the tool asks who may do it before it calls the core',
  'LOG-02': "the queries are the kernel's; a driver only has the lines",
}

/** Rules that cannot be checked on a driver at all, each with the reason. @kernel none */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'RING-07':
    'it says what others may conclude from a count; two threads on a shared ring are tested in packages/core-ring',
  'RING-11': 'a choice of design: how a ring finds out that it is full does not show in what it does',
  'SKB-07': 'it is about stacks of backends: testBackend checks it, a driver has no such stack',
  'LINK-07':
    'a driver has one end of its cable; packages/backend tests that closing one end is seen at the other',
}
