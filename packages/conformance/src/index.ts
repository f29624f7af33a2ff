/**
 * `@vnet/conformance` proves a driver: the rules of a Linux network driver as checks that any driver can run.
 *
 * Describe your driver in a {@link DriverSpec} and hand it to {@link testDriver} with your test runner, or to
 * {@link runConformance} for a report.
 *
 * @packageDocumentation
 */
export * from './backend-checks.ts'
export * from './backend-spec.ts'
export * from './backend-testbed.ts'
export * from './cable.ts'
export * from './check.ts'
export * from './checks/index.ts'
export { testRing, type RingSpec } from './checks/ring.ts'
export * from './explains.ts'
export * from './frames.ts'
export * from './mutants/index.ts'
export * from './mutants/races.ts'
export * from './races.ts'
export * from './mutants/seed.ts'
export * from './ref/ref-card.ts'
export * from './ref/ref-data.ts'
export * from './ref/ref-driver.ts'
export * from './ref/ref-ring.ts'
export * from './ref/ref-spec.ts'
export * from './rings.ts'
export * from './rules-na.ts'
export * from './rules.ts'
export * from './run.ts'
export * from './soak-ops.ts'
export * from './soak.ts'
export * from './spec.ts'
export * from './test-backend.ts'
export * from './table.ts'
export * from './test-driver.ts'
export * from './testbed.ts'
