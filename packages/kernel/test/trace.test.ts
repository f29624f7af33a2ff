import { describe, expect, it } from 'vitest'
import { createKernel } from '../src/kernel.ts'
import type { TraceEvent } from '../src/trace.ts'

describe('tracepoints', () => {
  it('are the same object for the same name', () => {
    const kernel = createKernel()
    expect(kernel.trace.point('a:b', ['x'])).toBe(kernel.trace.point('a:b', ['x']))
    expect(createKernel().trace.point('a:b', ['x'])).not.toBe(kernel.trace.point('a:b', ['x']))
  })

  it('are enabled only while somebody listens, also when made later', () => {
    const kernel = createKernel()
    const early = kernel.trace.point('net:net_dev_xmit', ['len'])
    expect(early.enabled).toBe(false)
    const stopAll = kernel.trace.on('net:*', () => {})
    const stopOne = kernel.trace.on('net:net_dev_xmit', () => {})
    const late = kernel.trace.point('net:netif_rx', ['len'])
    const other = kernel.trace.point('napi:napi_poll', ['work'])
    expect([early.enabled, late.enabled, other.enabled]).toEqual([true, true, false])
    stopAll()
    expect([early.enabled, late.enabled]).toEqual([true, false])
    stopOne()
    stopOne()
    expect(early.enabled).toBe(false)
  })

  it('carry time, context, subject and the fields in order', () => {
    const kernel = createKernel()
    const events: TraceEvent[] = []
    kernel.trace.on('*', (e) => events.push(e))
    kernel.runFor(7)
    kernel.trace.point('napi:napi_poll', ['work', 'budget']).emit('vnet0', 3, 64)
    kernel.trace
      .point('skb:kfree_skb', ['len', 'reason'])
      .emit('vnet0', 60, undefined, undefined, 'NO_SOCKET')
    kernel.trace.point('x:y', ['why']).emit('vnet0', undefined, undefined, undefined, 'cut')
    expect(events).toEqual([
      { time: 7, ctx: 'process', name: 'napi:napi_poll', subject: 'vnet0', fields: { work: 3, budget: 64 } },
      {
        time: 7,
        ctx: 'process',
        name: 'skb:kfree_skb',
        subject: 'vnet0',
        fields: { len: 60, reason: 'NO_SOCKET' },
      },
      { time: 7, ctx: 'process', name: 'x:y', subject: 'vnet0', fields: { why: 'cut' } },
    ])
  })

  it('call nobody when disabled', () => {
    const kernel = createKernel()
    const events: TraceEvent[] = []
    const point = kernel.trace.point('a:b', [])
    kernel.trace.on('a:c', (e) => events.push(e))
    point.emit('x')
    expect(events).toEqual([])
  })

  it('let a listener leave while an event is delivered', () => {
    const kernel = createKernel()
    let first = 0
    let second = 0
    const leave = kernel.trace.on('a:b', () => {
      first++
      leave()
    })
    kernel.trace.on('a:b', () => second++)
    const point = kernel.trace.point('a:b', [])
    point.emit('x')
    point.emit('x')
    expect([first, second]).toEqual([1, 2])
  })

  it('are listed by name', () => {
    const kernel = createKernel()
    kernel.trace.point('z:z', [])
    kernel.trace.point('a:a', [])
    expect(kernel.trace.names).toEqual(expect.arrayContaining(['a:a', 'z:z']))
    expect([...kernel.trace.names].sort()).toEqual(kernel.trace.names)
  })
})
