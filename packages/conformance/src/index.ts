/**
 * `@vnet/conformance` proves a driver: the rules of a Linux network driver as checks that any driver can run.
 *
 * Describe your driver in a {@link DriverSpec} and hand it to {@link testDriver} with your test runner, or to
 * {@link runConformance} for a report.
 *
 * @packageDocumentation
 */
export * from './cable.ts'
export * from './check.ts'
export * from './checks/index.ts'
export * from './explains.ts'
export * from './frames.ts'
export * from './ref/ref-driver.ts'
export * from './run.ts'
export * from './spec.ts'
export * from './test-driver.ts'
export * from './testbed.ts'
