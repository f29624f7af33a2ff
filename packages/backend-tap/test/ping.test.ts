import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { accounts } from '@vnet/backend'
import { inetAddrAdd, inetOf } from '@vnet/inet'
import { createKernel } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import { createCard, createVnet, destroyVnet } from '@vnet/vnet'
import { describe, expect, it } from 'vitest'
import { tapBackend } from '../src/tap-backend.ts'
import { host, namespace, skipReason, until } from './host.ts'

/** Why the host cannot ping, printed; false when it can. */
function noPing(): string | false {
  const reason = skipReason()
  if (reason !== false) return reason
  const netns = namespace()
  try {
    host(netns, 'ping -V')
    return false
  } catch (error) {
    console.warn('skipped, the ping of the host: there is none; install iputils-ping')
    return (error as Error).message
  } finally {
    netns.close()
  }
}

describe.skipIf(noPing())('the ping of the host', () => {
  it('is answered by vnet0 over a TAP, 200 times', async () => {
    const kernel = createKernel({ clock: 'real' })
    const netns = namespace()
    const tap = tapBackend(kernel, { name: 'vt0', netns })
    const card = createCard(kernel, { backend: tap })
    const dev = createVnet(kernel, { hw: card })
    const inet = inetOf(kernel)
    kernel.rtnl.run(() => {
      nd.devOpen(dev)
      inetAddrAdd(inet, { dev, family: 2, local: Uint8Array.of(10, 9, 0, 2), prefixlen: 24 })
    })
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    try {
      await until(() => nd.netifCarrierOk(dev), 'a carrier')
      const args = ['-q', '-c', '200', '-i', '0.005', '-W', '5', '10.9.0.2']
      const { stdout } = await netns.run(() => promisify(execFile)('ping', args))
      expect(stdout).toContain('200 packets transmitted, 200 received, 0% packet loss')
      expect(kernel.violations).toEqual([])
      expect(accounts(tap).problems).toEqual([])
    } finally {
      destroyVnet(dev)
      card.destroy()
      tap.close()
      netns.close()
      kernel.shutdown()
    }
  })
})
