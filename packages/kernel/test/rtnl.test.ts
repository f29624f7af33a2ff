import { describe, expect, it } from 'vitest'
import { createKernel, localBhDisable } from '@vnet/kernel'
import { broken } from './broken.ts'

describe('rtnl', () => {
  it('is held from lock to unlock', () => {
    const { rtnl } = createKernel()
    expect(rtnl.held).toBe(false)
    rtnl.lock()
    expect(rtnl.held).toBe(true)
    rtnl.assertHeld('devOpen')
    rtnl.unlock()
    expect(rtnl.held).toBe(false)
  })
  it('run gives back what the function returns, and the lock also after an exception', () => {
    const { rtnl } = createKernel()
    expect(rtnl.run(() => rtnl.held)).toBe(true)
    expect(() =>
      rtnl.run(() => {
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(rtnl.held).toBe(false)
  })
  it('trylock takes it only when it is free', () => {
    const { rtnl } = createKernel()
    expect(rtnl.trylock()).toBe(true)
    expect(rtnl.trylock()).toBe(false)
    rtnl.unlock()
    expect(rtnl.held).toBe(false)
  })
  it('afterUnlock runs things once, in order, when the lock is free', () => {
    const { rtnl } = createKernel()
    const log: unknown[] = []
    rtnl.lock()
    rtnl.afterUnlock(() => {
      log.push(['a', rtnl.held])
      rtnl.run(() => rtnl.afterUnlock(() => log.push('c')))
    })
    rtnl.afterUnlock(() => log.push('b'))
    rtnl.unlock()
    expect(log).toEqual([['a', false], 'c', 'b'])
    rtnl.run(() => {})
    expect(log.length).toBe(3)
  })
  it('CTX-01 reports taking it twice, and the holder still has it', () => {
    const { rtnl } = createKernel()
    rtnl.lock()
    expect(broken(() => rtnl.lock())).toBe('CTX-01 rtnl.lock: rtnl is held already, this would wait for ever')
    expect(rtnl.held).toBe(true)
    rtnl.unlock()
    expect(rtnl.held).toBe(false)
  })
  it('CTX-01 when reports do not throw, each lock needs its unlock', () => {
    const kernel = createKernel({ strict: false })
    kernel.rtnl.run(() => {
      kernel.rtnl.run(() => {})
      expect(kernel.rtnl.held).toBe(true)
    })
    expect(kernel.rtnl.held).toBe(false)
    expect(kernel.violations.map((v) => v.rule)).toEqual(['CTX-01'])
  })
  it('CTX-01 reports giving back what is not held, and needing what is not held', () => {
    const { rtnl } = createKernel()
    expect(broken(() => rtnl.unlock())).toBe('CTX-01 rtnl.unlock: rtnl is not held')
    expect(broken(() => rtnl.assertHeld('registerNetdevice'))).toBe('CTX-01 registerNetdevice needs rtnl')
  })
  it('CTX-02 reports taking it where sleeping is not allowed', () => {
    const kernel = createKernel()
    localBhDisable(kernel)
    expect(broken(() => kernel.rtnl.lock())).toContain('CTX-02 rtnl.lock')
    expect(kernel.rtnl.held).toBe(false)
  })
})
