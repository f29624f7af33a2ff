import { testBackend as testWithKit, type BackendSpec } from '@vnet/conformance'
import { describe, it } from 'vitest'

/** Runs the kit's checks of a backend as tests of this package. */
export function testBackend(given: BackendSpec): void {
  testWithKit({ describe, it }, given)
}
