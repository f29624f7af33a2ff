import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { libc, watchMethod } from '@vnet/linux'
import type { Netns } from '@vnet/linux'
import { arpRequest, padFrame } from '@vnet/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tapBackend } from '../src/tap-backend.ts'
import type { TapBackend } from '../src/tap-backend.ts'
import type { TapOptions } from '../src/options.ts'
import { send, StubCard } from '../../../test/lib/stub-card.ts'
import { host, namespace, skipReason, until } from './host.ts'

const MAC = '02:00:00:00:00:01'
const ARP = 0x0806
const whoHas = (targetIp: string): Uint8Array =>
  padFrame(arpRequest({ senderMac: MAC, senderIp: '10.9.0.2', targetIp }))

describe.skipIf(skipReason())('a TAP in a namespace of its own', () => {
  let kernel: Kernel
  let netns: Netns
  let card: StubCard
  const open: TapBackend[] = []

  const tap = (options: TapOptions = {}): TapBackend => {
    const made = tapBackend(kernel, { name: 'vt0', netns, ...options })
    open.push(made)
    return made
  }

  /** Plugs the card in and waits until the host runs the interface. */
  const plug = async (backend: TapBackend, into = card): Promise<void> => {
    backend.attach(into)
    await until(() => backend.linkUp, 'the link')
    into.links.length = 0
  }

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
    netns = namespace()
    card = new StubCard()
  })

  afterEach(() => {
    for (const backend of open.splice(0)) backend.close()
    netns.close()
    kernel.shutdown()
  })

  it('is made, set up, and gone when closed', () => {
    const backend = tap()
    expect(backend.ifName).toBe('vt0')
    expect(host(netns, 'ip -d link show vt0')).toMatch(/<.*UP.*>[^]* tap /)
    backend.close()
    expect(() => host(netns, 'ip link show vt0')).toThrow(/does not exist/)
  })

  it('gives the host a carrier while a card is plugged in', async () => {
    const backend = tap()
    expect(host(netns, 'ip link show vt0')).toContain('NO-CARRIER')
    await plug(backend)
    expect(host(netns, 'ip link show vt0')).toContain('LOWER_UP')
    backend.attach(null)
    expect(host(netns, 'ip link show vt0')).toContain('NO-CARRIER')
  })

  it.each([
    ['with libuv', { watch: 'uv' }],
    ['with poll() in a thread', { watch: 'poll' }],
    ['with four queues', { queues: 4 }],
    ['with offloads', { offload: true }],
  ] as [string, TapOptions][])('frames cross both ways %s', async (_, options) => {
    const backend = tap(options)
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    await plug(backend)
    for (let n = 1; n <= 20; n++) {
      expect(send(backend, whoHas('10.9.0.1'))).toBe(true)
      await until(() => card.ofType(ARP).length >= n, `answer ${n}`)
    }
    const answer = card.ofType(ARP)[0]!
    expect([...answer.slice(0, 6)]).toEqual([2, 0, 0, 0, 0, 1])
    expect(answer[21]).toBe(2)
    expect(backend.counters).toMatchObject({ txFrames: 20, downFrames: 20, dropped: 0 })
    expect(accounts(backend).problems).toEqual([])
  })

  it.each([
    ['looks for the next frame while they follow each other', true],
    ['does not when told not to', false],
  ])('%s', async (_, linger) => {
    const backend = tap({ linger })
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    await plug(backend)
    const c = libc() as { read: ReturnType<typeof libc>['read'] }
    const { read } = c
    let reads = 0
    c.read = Object.assign((...args: Parameters<typeof read>) => (reads++, read(...args)), {
      async: read.async,
    })
    const before = backend.counters.upFrames + backend.stats.interrupts
    try {
      for (let n = 1; n <= 300; n++) {
        send(backend, whoHas('10.9.0.1'))
        while (card.ofType(ARP).length < n) await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      c.read = read
    }
    // One for each frame, and one that finds no more for each interrupt; what is looked for comes on top.
    const more = reads - (backend.counters.upFrames + backend.stats.interrupts - before)
    // Only libuv can be asked whether something else is due.
    if (linger && watchMethod() === 'uv') expect(more).toBeGreaterThan(10)
    else expect(more).toBeLessThan(10)
  })

  it('takes the carrier away while the interface is down, and gives it back', async () => {
    const backend = tap()
    await plug(backend)
    host(netns, 'ip link set vt0 down')
    await until(() => card.links.length === 1, 'the link goes')
    expect(send(backend, whoHas('10.9.0.1'))).toBe(true)
    expect(backend.linkUp).toBe(false)
    expect(backend.counters).toMatchObject({ txFrames: 1, downFrames: 0, dropped: 1 })
    expect(backend.stats).toMatchObject({ txDown: 1, linkDowns: 1 })
    host(netns, 'ip link set vt0 up')
    await until(() => card.links.length === 2, 'the link comes back')
    expect(card.links).toEqual([false, true])
    expect(accounts(backend).problems).toEqual([])
  })

  it('survives its deletion, and attaches again when it is there again', async () => {
    const backend = tap({ persistent: true })
    await plug(backend)
    host(netns, 'ip link delete vt0')
    await until(() => !backend.linkUp, 'the link goes')
    send(backend, whoHas('10.9.0.1'))
    expect(backend.counters.dropped).toBe(1)
    host(netns, 'ip tuntap add dev vt0 mode tap')
    await until(() => backend.stats.reattached === 1, 'it is attached to again')
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    host(netns, 'ip link set vt0 up')
    await until(() => backend.linkUp, 'the link comes back')
    send(backend, whoHas('10.9.0.1'))
    await until(() => card.ofType(ARP).length > 0, 'an answer')
    expect(card.links).toEqual([false, true])
    expect(accounts(backend).problems).toEqual([])
  })

  it('throws away what waited before a card was plugged in', async () => {
    const backend = tap()
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    await plug(backend)
    send(backend, whoHas('10.9.0.1'))
    // The host answered at once; nobody has read it yet.
    backend.attach(null)
    const second = new StubCard()
    await plug(backend, second)
    expect(backend.stats.rxStale).toBeGreaterThan(0)
    send(backend, whoHas('10.9.0.1'))
    await until(() => second.ofType(ARP).length > 0, 'the new answer')
    expect(card.ofType(ARP)).toEqual([])
  })

  it('counts a frame no TAP takes', () => {
    const backend = tap()
    backend.attach(card)
    send(backend, new Uint8Array(13))
    expect(backend.stats.txInvalid).toBe(1)
    expect(backend.counters).toMatchObject({ txFrames: 1, dropped: 1 })
  })

  it('counts what the card misses', async () => {
    const backend = tap()
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    card.takes = false
    await plug(backend)
    send(backend, whoHas('10.9.0.1'))
    await until(() => backend.counters.rxMissed > 0, 'a missed frame')
    expect(accounts(backend).problems).toEqual([])
  })

  it('refuses a second card', () => {
    const backend = tap()
    backend.attach(card)
    expect(() => backend.attach(new StubCard())).toThrow(expect.objectContaining({ code: 'EBUSY' }))
  })

  it('leaves no memory behind', () => {
    const backend = tap()
    const before = kernel.mem.allocated
    backend.attach(card)
    backend.close()
    expect(kernel.mem.allocated).toBe(before)
  })

  describe('what the host refuses says what to do', () => {
    it('a name that is taken', () => {
      tap()
      expect(() => tap()).toThrow(
        expect.objectContaining({ code: 'EBUSY', message: expect.stringContaining('vt0 is taken') }),
      )
    })

    it('a name that was to be new', () => {
      tap({ persistent: true }).close()
      expect(() => tap({ mode: 'new' })).toThrow(expect.objectContaining({ code: 'EBUSY' }))
      tap({ mode: 'attach', persistent: false })
    })

    it('a name that was to be there', () => {
      expect(() => tap({ mode: 'attach' })).toThrow(/ip tuntap add dev vt0 mode tap/)
    })

    it('another kind of interface', () => {
      expect(() => tap({ name: 'lo' })).toThrow(
        expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining('no such TAP') }),
      )
    })

    it('a TAP with another kind of queue', () => {
      tap({ persistent: true }).close()
      expect(() => tap({ queues: 2 })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    })
  })
})
