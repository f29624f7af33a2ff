import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { compose, layers } from '../src/contract.ts'
import type { Backend, BackendPort } from '../src/contract.ts'
import { faultInjector } from '../src/fault-injector.ts'
import { generator } from '../src/generator.ts'
import { loopback } from '../src/loopback.ts'
import { nullBackend } from '../src/null.ts'
import { patchCable } from '../src/patch-cable.ts'
import { pcapWriter } from '../src/pcap-writer.ts'
import { rateLimit } from '../src/rate-limit.ts'
import { switchBackend } from '../src/switch.ts'
import { tracer } from '../src/tracer.ts'
import { heapProfile, leastOf, type ProfileNode } from '../../kernel/test/heap-profile.ts'
import { ether } from './helpers.ts'

const HOT = /backend\/src|kernel\/src\/copy/

/** Bytes allocated by functions in these files while `run` runs, by name; also those collected meanwhile. */
function allocatedBy(files: RegExp, run: () => void): Map<string, number> {
  const found = new Map<string, number>()
  const add = (node: ProfileNode): void => {
    const { functionName, url } = node.callFrame
    if (files.test(url) && node.selfSize > 0) {
      found.set(functionName, (found.get(functionName) ?? 0) + node.selfSize)
    }
    node.children.forEach(add)
  }
  add(heapProfile(run))
  return found
}

const BURST = 32
const BURSTS = 2000

/** A card whose buffers are in the kernel's memory, as real ones are. */
const card = (kernel: Kernel): { mem: Uint8Array; port: BackendPort; at: number } => {
  const block = kernel.mem.alloc(1 << 16, 64)
  const mem = block.region.u8
  mem.set(ether(2, 1, 1514), block.offset)
  return { mem, at: block.offset, port: { receive: () => true, linkChange() {}, writable() {} } }
}

const CASES: Readonly<Record<string, (kernel: Kernel) => Backend>> = {
  null: () => nullBackend(),
  loopback: (kernel) => loopback(kernel),
  'patch cable': (kernel) => {
    const { a, b } = patchCable(kernel, { delayNs: 3000 })
    b.attach(card(kernel).port)
    return a
  },
  switch: (kernel) => {
    const sw = switchBackend(kernel, { ports: 3 })
    sw.port(1).attach(card(kernel).port)
    sw.port(2).attach(card(kernel).port)
    return sw.port(0)
  },
  'generator of a mix': (kernel) => generator(kernel, { frame: 'mix', everyNs: 100 }),
  'faults, all of them': (kernel) =>
    compose(
      loopback(kernel),
      faultInjector(kernel, {
        drop: 0.1,
        corrupt: 0.1,
        duplicate: 0.1,
        reorder: 0.1,
        delayNs: 3000,
        jitterNs: 2000,
        rate: { bitsPerSecond: 1e10 },
      }),
    ),
  'rate limit': (kernel) => compose(loopback(kernel), rateLimit(kernel, { rate: { bitsPerSecond: 1e10 } })),
  tracer: (kernel) => compose(loopback(kernel), tracer(kernel)),
}

describe('steady traffic allocates nothing', () => {
  for (const [name, make] of Object.entries({
    ...CASES,
    'pcap writer, but for its chunks': (kernel: Kernel) =>
      compose(
        loopback(kernel),
        pcapWriter(kernel, () => {}),
      ),
  })) {
    it(name, () => {
      const kernel = createKernel()
      const backend = make(kernel)
      const { mem, at, port } = card(kernel)
      backend.attach(port)
      const traffic = (bursts: number): void => {
        for (let b = 0; b < bursts; b++) {
          for (let i = 0; i < BURST; i++) backend.transmit(mem, at, i % 4 === 0 ? 1514 : 60)
          backend.flush?.()
          kernel.runFor(20_000)
        }
      }
      // As after 4 GiB: from there on a count is no small integer any more.
      for (const layer of layers(backend))
        Object.assign(layer.counters, { txBytes: 2 ** 32, rxBytes: 2 ** 32 })
      traffic(BURSTS)
      let found = new Map<string, number>()
      const measure = (): number => {
        found = allocatedBy(HOT, () => traffic(BURSTS))
        found.delete('#write')
        return [...found.values()].reduce((sum, bytes) => sum + bytes, 0) / (BURST * BURSTS)
      }
      const least = leastOf(measure, 2)
      expect(least, JSON.stringify([...found])).toBeLessThan(2)
      expect(backend.counters.txFrames).toBeGreaterThan(BURST * BURSTS)
    })
  }

  it('and the measurement would see one small object a frame', () => {
    const kept: object[] = []
    const leak = (i: number): void => {
      kept[i & 7] = { number: i }
    }
    const found = allocatedBy(/allocation\.test/, () => {
      for (let i = 0; i < 10_000; i++) leak(i)
    })
    const total = [...found.values()].reduce((sum, bytes) => sum + bytes, 0)
    expect(total / 10_000).toBeGreaterThan(10)
  })
})
