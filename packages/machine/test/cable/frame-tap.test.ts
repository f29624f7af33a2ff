import { accounts, compose, nullBackend, type Backend, type BackendPort } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import { FrameTap, type FrameTapClient } from '../../src/index.ts'

class Card implements BackendPort {
  readonly got: number[][] = []
  full = false

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.full) return false
    this.got.push([...mem.subarray(offset, offset + length)])
    return true
  }

  linkChange(): void {}

  writable(): void {}
}

describe('a tap beside a card', () => {
  let kernel: Kernel
  let tap: FrameTap
  let card: Card
  let cable: Backend

  beforeEach(() => {
    kernel = createKernel()
    tap = new FrameTap(kernel, { frames: 4, bytes: 1024 })
    card = new Card()
    cable = compose(nullBackend(), tap.middleware)
    cable.attach(card)
  })

  const send = (...bytes: number[]): boolean => cable.transmit(Uint8Array.from(bytes), 0, bytes.length)

  function read(client: FrameTapClient): number[][] {
    const frames: number[][] = []
    while (
      client.take((mem, offset, length) => frames.push([...mem.subarray(offset, offset + length)])) >= 0
    );
    return frames
  }

  it('every client gets a copy of what the card sends, from when it came', () => {
    const first = tap.open()
    send(1, 2)
    const second = tap.open()
    send(3)
    expect(read(first)).toEqual([[1, 2], [3]])
    expect(read(second)).toEqual([[3]])
    expect(cable.counters.downFrames).toBe(2)
  })

  it('is told once when there is something to read, and again after it was read', () => {
    let told = 0
    const client = tap.open(() => told++)
    send(1)
    send(2)
    expect(told).toBe(1)
    read(client)
    send(3)
    expect(told).toBe(2)
  })

  it('a client that does not read loses frames by itself: card and others notice nothing', () => {
    const stuck = tap.open()
    const reader = tap.open()
    const seen: number[][] = []
    for (let i = 0; i < 10; i++) {
      expect(send(i)).toBe(true)
      seen.push(...read(reader))
    }
    expect(seen).toHaveLength(10)
    expect([stuck.waiting, stuck.lost, reader.lost, tap.lost]).toEqual([4, 6, 0, 6])
    expect(read(stuck)).toEqual([[0], [1], [2], [3]])
  })

  it('what a client lost is still known when it has left', () => {
    const client = tap.open()
    for (let i = 0; i < 6; i++) send(i)
    client.close()
    client.close()
    send(7)
    expect([tap.clients, tap.lost]).toEqual([0, 2])
  })

  it('offers the card what a client writes, and says when the card missed it', () => {
    const client = tap.open()
    const frame = Uint8Array.of(0, 9, 8)
    expect(client.offer(frame, 1, 2)).toBe(true)
    expect(card.got).toEqual([[9, 8]])
    card.full = true
    expect(client.offer(frame, 1, 2)).toBe(false)
    expect(read(client)).toEqual([])
    expect(accounts(cable).problems).toEqual([])
    expect([cable.counters.made, cable.counters.rxMissed]).toEqual([2, 1])
  })

  it('clients stay while the cable changes; without one nothing can be offered', () => {
    const client = tap.open()
    cable.attach(null)
    expect(client.offer(Uint8Array.of(1), 0, 1)).toBe(false)
    cable = compose(nullBackend(), tap.middleware)
    expect(client.offer(Uint8Array.of(1), 0, 1)).toBe(false)
    cable.attach(card)
    expect(client.offer(Uint8Array.of(5), 0, 1)).toBe(true)
    send(6)
    expect([card.got, read(client)]).toEqual([[[5]], [[6]]])
  })

  it('gives its memory back with the last client', () => {
    const before = kernel.mem.allocated
    const clients = [tap.open(), tap.open()]
    expect(kernel.mem.allocated).toBeGreaterThan(before)
    tap.close()
    expect([kernel.mem.allocated, tap.clients]).toEqual([before, 0])
    expect(clients[0]!.offer(Uint8Array.of(1), 0, 1)).toBe(false)
    send(1)
    expect(clients[0]!.waiting).toBe(0)
  })
})
