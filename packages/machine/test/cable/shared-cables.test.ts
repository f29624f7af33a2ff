import { accounts, type Backend, type BackendPort } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { SharedCables } from '../../src/index.ts'

/** A card of a kernel of its own. */
class Card implements BackendPort {
  readonly got: string[] = []
  readonly links: boolean[] = []
  readonly kernel: Kernel
  readonly cable: Backend & { close(): void }

  constructor(shared: SharedCables, spec: string, kernel: Kernel) {
    this.kernel = kernel
    this.cable = shared.plug(spec, kernel)
    this.cable.attach(this)
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.got.push(`${mem[offset + 14]} at ${this.kernel.clock.ktimeGet()}`)
    expect(length).toBe(60)
    return true
  }

  linkChange(up: boolean): void {
    this.links.push(up)
  }

  writable(): void {}
}

/** A frame from one card to another, by number; 255: to everybody. */
function frame(from: number, to: number, mark: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set(to === 255 ? new Uint8Array(6).fill(255) : [2, 0, 0, 0, 0, to], 0)
  bytes.set([2, 0, 0, 0, 0, from], 6)
  bytes[14] = mark
  return bytes
}

function send(card: Card, bytes: Uint8Array): void {
  card.kernel.hardware(() => expect(card.cable.transmit(bytes, 0, bytes.length)).toBe(true))
}

/** Lets every kernel come to the same time. */
function run(kernels: readonly Kernel[], ns: number): void {
  for (let t = 0; t < ns; t += 1000) for (const kernel of kernels) kernel.runFor(1000)
}

describe('cables that several kernels share', () => {
  it('a patch cable carries frames both ways, each in the time of the card it reaches', () => {
    const kernels = [createKernel(), createKernel(), createKernel()] as const
    const shared = new SharedCables(kernels[2])
    shared.describePatch('ab', { delayNs: 5000 })
    const a = new Card(shared, 'patch:ab', kernels[0])
    const b = new Card(shared, 'patch:ab', kernels[1])
    expect([a.links, a.cable.linkUp, b.cable.linkUp]).toEqual([[true], true, true])
    send(a, frame(1, 2, 11))
    send(b, frame(2, 1, 22))
    expect([a.got, b.got]).toEqual([[], []])
    run(kernels, 20_000)
    expect(b.got).toHaveLength(1)
    expect(b.got[0]).toMatch(/^11 at [5-9]\d{3}$/)
    expect(a.got[0]).toMatch(/^22 at [5-9]\d{3}$/)
    for (const { cable } of [a, b]) expect(accounts(cable).problems).toEqual([])
  })

  it('pulling one end takes the link of the other, in its own kernel', () => {
    const kernels = [createKernel(), createKernel(), createKernel()] as const
    const shared = new SharedCables(kernels[2])
    const a = new Card(shared, 'patch:ab', kernels[0])
    const b = new Card(shared, 'patch:ab', kernels[1])
    send(a, frame(1, 2, 1))
    b.cable.attach(null)
    expect([a.links, a.cable.linkUp]).toEqual([[true, false], false])
    run(kernels, 10_000)
    expect(b.got).toEqual([])
    expect(a.cable.counters.txFrames).toBe(1)
    a.cable.close()
    b.cable.close()
    for (const kernel of kernels) expect(kernel.mem.allocated).toBe(0)
  })

  it('a switch learns across kernels: broadcast to all, then to one', () => {
    const kernels = [createKernel(), createKernel(), createKernel()] as const
    const shared = new SharedCables(kernels[0])
    const cards = kernels.map((kernel) => new Card(shared, 'switch:lan', kernel))
    send(cards[1]!, frame(1, 255, 9))
    run(kernels, 10_000)
    expect(cards.map(({ got }) => got.length)).toEqual([1, 0, 1])
    send(cards[2]!, frame(2, 1, 8))
    run(kernels, 10_000)
    expect(cards.map(({ got }) => got.length)).toEqual([1, 1, 1])
  })

  it('frees places: the last one to leave takes what was learned along', () => {
    const kernel = createKernel()
    const shared = new SharedCables(kernel)
    const plugs = Array.from({ length: 64 }, () => shared.plug('switch:lan'))
    expect(() => shared.plug('switch:lan')).toThrow('switch:lan has 64 places, and all are taken')
    plugs[7]!.close()
    plugs[7]!.close()
    const again = shared.plug('switch:lan')
    expect(() => shared.plug('switch:lan')).toThrow('all are taken')
    for (const plug of [...plugs, again]) plug.close()
    expect(shared.plug('switch:lan').name).toBe('lan:0')
  })

  it.each(['switch:', 'patch:a/b', 'switch:-x', 'hub:x', 'patch', ''])('refuses the name %j', (spec) => {
    expect(() => new SharedCables(createKernel()).plug(spec)).toThrow('is no shared cable')
  })
})
